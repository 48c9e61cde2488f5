//! `eventfd2`: a counter as a file.

use alloc::sync::Arc;

use linux_abi::Errno;
use linux_abi::fcntl::OpenFlags;
use linux_abi::poll::{EventfdFlags, PollEvents};
use machine::sync::Mutex;

use crate::error::{Because, Result};
use crate::fs::{File, FileOps, IoBuf};
use crate::sched::WaitQueue;
use crate::syscall::Cx;
use crate::task::Task;

/// The highest value that the counter takes through writes.
const MAX: u64 = u64::MAX - 1;

/// The counter.
#[derive(Debug)]
struct EventFd {
    count: Mutex<u64>,
    is_semaphore: bool,
    changed: WaitQueue,
}

impl FileOps for EventFd {
    fn read(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        if buf.left() < 8 {
            return Err(Errno::EINVAL.because("less than eight bytes"));
        }
        let value = {
            let mut count = self.count.lock();
            let value = match *count {
                0 => return Err(Errno::EAGAIN.because("the counter is zero")),
                _ if self.is_semaphore => 1,
                value => value,
            };
            *count -= value;
            value
        };
        self.changed.wake_all();
        buf.put(&value.to_le_bytes())
    }

    fn write(&self, _file: &File, _task: &Arc<Task>, buf: &mut IoBuf<'_>) -> Result<usize> {
        if buf.left() < 8 {
            return Err(Errno::EINVAL.because("less than eight bytes"));
        }
        let mut raw = [0; 8];
        if buf.take(&mut raw)? < raw.len() {
            return Err(Errno::EFAULT.because("part of the value is not readable"));
        }
        let value = u64::from_le_bytes(raw);
        if value == u64::MAX {
            return Err(Errno::EINVAL.because("more than the counter holds"));
        }
        {
            let mut count = self.count.lock();
            match count.checked_add(value) {
                Some(sum) if sum <= MAX => *count = sum,
                _ => return Err(Errno::EAGAIN.because("the counter would overflow")),
            }
        }
        self.changed.wake_all();
        Ok(8)
    }

    fn poll(&self, _file: &File) -> PollEvents {
        let count = *self.count.lock();
        let mut events = PollEvents::empty();
        if count > 0 {
            events |= PollEvents::POLLIN;
        }
        if count < MAX {
            events |= PollEvents::POLLOUT;
        }
        events
    }

    fn wait_queue(&self) -> Option<WaitQueue> {
        Some(self.changed.clone())
    }

    fn describe(&self, _file: &File, out: &mut alloc::string::String) {
        use core::fmt::Write;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "eventfd-count: {:16x}", *self.count.lock());
    }

    fn as_any(&self) -> &dyn core::any::Any {
        self
    }
}

pub(super) fn eventfd2(cx: &mut Cx<'_>, initial: u32, flags: EventfdFlags) -> Result<i32> {
    let ops = EventFd {
        count: Mutex::new(u64::from(initial)),
        is_semaphore: flags.contains(EventfdFlags::EFD_SEMAPHORE),
        changed: WaitQueue::new(),
    };
    let nonblock = if flags.contains(EventfdFlags::EFD_NONBLOCK) { OpenFlags::O_NONBLOCK } else { OpenFlags::empty() };
    let file = File::anonymous(cx.kernel, "[eventfd]", Arc::new(ops), OpenFlags::O_RDWR | nonblock);
    cx.task.files().insert(cx.task, file, flags.contains(EventfdFlags::EFD_CLOEXEC))
}
