//! The locks of the kernel, over the machine's [`RawLock`].
//!
//! With the feature `std` a waiter parks its host thread; without it a waiter
//! spins. Either way the kernel names only these types, and a guard is not
//! `Send`, so no lock can be held across an await point.

use lock_api::RwLock as ApiRwLock;

/// The raw mutex of this build.
#[cfg(feature = "std")]
pub type RawLock = parking_lot::RawMutex;
/// The raw reader-writer lock of this build.
#[cfg(feature = "std")]
pub type RawRwLock = parking_lot::RawRwLock;

/// The raw mutex of this build.
#[cfg(not(feature = "std"))]
pub type RawLock = spin::mutex::SpinMutex<()>;
/// The raw reader-writer lock of this build.
#[cfg(not(feature = "std"))]
pub type RawRwLock = spin::RwLock<()>;

/// A mutual-exclusion lock.
pub type Mutex<T> = lock_api::Mutex<RawLock, T>;
/// The guard of a [`Mutex`].
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawLock, T>;
/// A reader-writer lock.
pub type RwLock<T> = ApiRwLock<RawRwLock, T>;
