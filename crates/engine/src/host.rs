//! What the engine can offer on the host that it runs on.

use crate::features::CpuFeatures;
use crate::wide;

/// The features that the engine implements on this host.
#[must_use]
pub fn host_features() -> CpuFeatures {
    // How much of an access other CPUs see at once is the host's to say. No
    // other form depends on it for its result, only for its speed.
    let missing: &[&str] = if wide::is_atomic() { &[] } else { &["FEAT_LSE2"] };
    CpuFeatures::all_but(missing)
}
