//! What the engine can offer on the host that it runs on.

use crate::features::CpuFeatures;

/// The features that the engine implements on this host.
#[must_use]
pub fn host_features() -> CpuFeatures {
    // No form depends on the host for its result, only for its speed.
    CpuFeatures::all_but(&[])
}
