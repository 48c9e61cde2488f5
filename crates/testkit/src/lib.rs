//! Generators and oracles that tests and fuzz targets share.

pub mod fuzz;
pub mod oracle;
mod random;

pub use random::Random;
