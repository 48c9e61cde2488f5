//! How calls fail.

use ironwall::{Failure, FaultRecord, Refusal};
use ironwall_format::TooLong;

/// Why a call did nothing, or what a collection found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The runtime refused, and nothing has changed.
    #[error("the runtime refused: {0:?}")]
    Refused(Refusal),
    /// A collection found damage; the heap is sealed.
    #[error("the heap is damaged: {0:?}")]
    Fault(FaultRecord),
    /// A name of a unit is too long for a table image.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The system has no memory of this size.
    #[error("there is no memory for a heap of {0} bytes")]
    NoMemory(usize),
    /// There is no such element in the tail of an object.
    #[error("there is no element {index} in an object of {count}")]
    NoSuchElement {
        /// The element that was asked for.
        index: u64,
        /// How many there are.
        count: u64,
    },
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Refused(refusal),
            Failure::Fault(record) => Self::Fault(record),
        }
    }
}
