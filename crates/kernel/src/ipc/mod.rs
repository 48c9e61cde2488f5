//! System V IPC: shared memory. Message queues and semaphores are not provided.
//!
//! [`shm`] has the segments of a kernel, [`perm`] who may use one, [`calls`]
//! the system calls. The memory of a segment is an [`Object`](crate::mm::Object)
//! whose mappings carry the segment's name; how many there are is counted when
//! it is asked for, so nothing has to be kept in step by `fork` or `munmap`.

mod calls;
mod perm;
mod proc;
mod shm;

pub(crate) use calls::ROWS;
pub(crate) use proc::segments as proc_text;
pub(crate) use shm::{SHMALL, SHMMAX, SHMMNI, Segments};
