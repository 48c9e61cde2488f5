//! Futexes: waiting on a word of user memory.
//!
//! A private futex is known by its address space and address, a shared one by
//! the memory object and offset behind it ([`crate::mm::FutexKey`]), so that
//! processes that map the same memory at different addresses meet.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Poll, Waker};

use linux_abi::Errno;
use linux_abi::futex::{
    FUTEX_BITSET_MATCH_ANY, FUTEX_CLOCK_REALTIME, FUTEX_CMD_MASK, FUTEX_CMP_REQUEUE, FUTEX_OWNER_DIED,
    FUTEX_PRIVATE_FLAG, FUTEX_REQUEUE, FUTEX_TID_MASK, FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAITERS, FUTEX_WAKE,
    FUTEX_WAKE_BITSET, FUTEX_WAKE_OP, ROBUST_LIST_LIMIT,
};
use machine::GuestAddr;
use machine::sync::Mutex;

use crate::Kernel;
use crate::error::{Because, Error, Result};
use crate::mm::{FutexKey, Mm};
use crate::syscall::{Cx, Outcome, Row};
use crate::task::Task;

pub(crate) const ROWS: &[Row] = crate::syscalls! {
    98 futex(uaddr: GuestAddr, op: u32, val: u32, timeout: GuestAddr, uaddr2: GuestAddr, val3: u32)
        Partial("no priority inheritance"), futex;
    99 set_robust_list(head: GuestAddr, len: usize) Full, set_robust_list;
    100 get_robust_list(pid: i32, head_ptr: GuestAddr, len_ptr: GuestAddr) Full, get_robust_list;
};

/// Somebody who waits on a futex.
struct Waiter {
    waker: Waker,
    bitset: u32,
    woken: AtomicBool,
    /// Where the waiter is queued now; requeueing changes it.
    key: Mutex<FutexKey>,
}

/// How many tables the waiters are spread over, to keep locks apart.
const SHARDS: usize = 64;

/// Waiters by where they wait, in the order in which they came.
type Shard = BTreeMap<FutexKey, Vec<Arc<Waiter>>>;

/// All waiters of a kernel.
pub(crate) struct Futexes {
    shards: [Mutex<Shard>; SHARDS],
}

impl Default for Futexes {
    fn default() -> Self {
        Self { shards: [const { Mutex::new(BTreeMap::new()) }; SHARDS] }
    }
}

impl fmt::Debug for Futexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Futexes")
    }
}

impl Futexes {
    fn shard_of(key: &FutexKey) -> usize {
        let (FutexKey::Private { mm: owner, addr: place } | FutexKey::Shared { object: owner, offset: place }) = *key;
        let mixed = place >> 2 ^ place >> 12 ^ owner;
        usize::try_from(mixed % SHARDS as u64).unwrap_or(0)
    }

    /// Wakes up to `count` waiters whose bitset meets `bitset`.
    fn wake(&self, key: &FutexKey, count: u32, bitset: u32) -> u32 {
        let mut woken = Vec::new();
        {
            let mut shard = self.shards[Self::shard_of(key)].lock();
            let Some(waiters) = shard.get_mut(key) else { return 0 };
            waiters.retain(|waiter| {
                let wanted = woken.len() < count as usize && waiter.bitset & bitset != 0;
                if wanted {
                    waiter.woken.store(true, Ordering::SeqCst);
                    woken.push(waiter.clone());
                }
                !wanted
            });
            if waiters.is_empty() {
                shard.remove(key);
            }
        }
        for waiter in &woken {
            waiter.waker.wake_by_ref();
        }
        u32::try_from(woken.len()).unwrap_or(u32::MAX)
    }

    fn remove(&self, waiter: &Arc<Waiter>) {
        loop {
            let key = *waiter.key.lock();
            let mut shard = self.shards[Self::shard_of(&key)].lock();
            if *waiter.key.lock() != key {
                // It was requeued in between.
                continue;
            }
            if let Some(waiters) = shard.get_mut(&key) {
                waiters.retain(|other| !Arc::ptr_eq(other, waiter));
                if waiters.is_empty() {
                    shard.remove(&key);
                }
            }
            return;
        }
    }

    /// Wakes `wake` waiters of `from` and moves up to `limit` others to `to`,
    /// if `check` agrees under both locks. Gives woken and moved.
    fn requeue(
        &self,
        from: &FutexKey,
        to: &FutexKey,
        wake: u32,
        limit: u32,
        check: impl FnOnce() -> Result<()>,
    ) -> Result<(u32, u32)> {
        let (a, b) = (Self::shard_of(from), Self::shard_of(to));
        // Always in the same order, so that two requeues cannot deadlock.
        let mut low = self.shards[a.min(b)].lock();
        let mut high = if a == b { None } else { Some(self.shards[a.max(b)].lock()) };
        check()?;
        let mut pick = |shard: usize, act: &mut dyn FnMut(&mut Shard)| match high.as_deref_mut() {
            Some(high) if shard > a.min(b) => act(high),
            _ => act(&mut low),
        };
        let (mut woken, mut moved) = (Vec::new(), Vec::new());
        pick(a, &mut |source| {
            let mut waiters = source.remove(from).unwrap_or_default();
            woken = waiters.drain(..waiters.len().min(wake as usize)).collect();
            moved = waiters.drain(..waiters.len().min(limit as usize)).collect();
            if !waiters.is_empty() {
                source.insert(*from, waiters);
            }
        });
        for waiter in &woken {
            waiter.woken.store(true, Ordering::SeqCst);
        }
        for waiter in &moved {
            *waiter.key.lock() = *to;
        }
        let count = |waiters: &Vec<Arc<Waiter>>| u32::try_from(waiters.len()).unwrap_or(u32::MAX);
        let counts = (count(&woken), count(&moved));
        if !moved.is_empty() {
            pick(b, &mut |target| target.entry(*to).or_default().append(&mut moved));
        }
        drop((low, high));
        for waiter in &woken {
            waiter.waker.wake_by_ref();
        }
        Ok(counts)
    }
}

/// A waiter that leaves its queue when the wait ends, however it ends.
struct Queued {
    kernel: Arc<Kernel>,
    waiter: Option<Arc<Waiter>>,
}

impl Drop for Queued {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter.take().filter(|waiter| !waiter.woken.load(Ordering::SeqCst)) {
            self.kernel.futexes().remove(&waiter);
        }
    }
}

fn futex(
    cx: &mut Cx<'_>,
    uaddr: GuestAddr,
    op: u32,
    val: u32,
    timeout: GuestAddr,
    uaddr2: GuestAddr,
    val3: u32,
) -> Result<Outcome> {
    let shared = op & FUTEX_PRIVATE_FLAG == 0;
    let done = |count: u32| Ok(Outcome::Done(Ok(u64::from(count))));
    let limit = |register: GuestAddr| u32::try_from(register.0 & 0xffff_ffff).unwrap_or(0);
    if op & FUTEX_CLOCK_REALTIME != 0 && op & FUTEX_CMD_MASK != FUTEX_WAIT_BITSET {
        return Err(Errno::ENOSYS.because("a clock for an operation without an absolute time"));
    }
    match op & FUTEX_CMD_MASK {
        FUTEX_WAIT => wait(cx, uaddr, shared, val, FUTEX_BITSET_MATCH_ANY, relative_deadline(cx, timeout)?),
        FUTEX_WAIT_BITSET => {
            let deadline = absolute_deadline(cx, timeout, op & FUTEX_CLOCK_REALTIME != 0)?;
            wait(cx, uaddr, shared, val, val3, deadline)
        }
        FUTEX_WAKE => done(wake(cx, uaddr, shared, val, FUTEX_BITSET_MATCH_ANY)?),
        FUTEX_WAKE_BITSET => done(wake(cx, uaddr, shared, val, val3)?),
        FUTEX_REQUEUE | FUTEX_CMP_REQUEUE => {
            let mm = cx.task.mm();
            let compare = op & FUTEX_CMD_MASK == FUTEX_CMP_REQUEUE;
            if val.cast_signed() < 0 || limit(timeout).cast_signed() < 0 {
                return Err(Errno::EINVAL.because("a negative count"));
            }
            check_aligned(uaddr2)?;
            let (from, to) = (key(&mm, uaddr, shared)?, key(&mm, uaddr2, shared)?);
            let current = if compare { Some(mm.load_u32(uaddr)?) } else { None };
            let (woken, moved) = cx.kernel.futexes().requeue(&from, &to, val, limit(timeout), || match current {
                Some(current) if current != val3 => Err(Errno::EAGAIN.because("the word has changed")),
                _ => Ok(()),
            })?;
            done(if compare { woken + moved } else { woken })
        }
        FUTEX_WAKE_OP => done(wake_op(cx, uaddr, uaddr2, shared, val, limit(timeout), val3)?),
        _ => Err(Errno::ENOSYS.because("no such futex operation here")),
    }
}

fn check_aligned(uaddr: GuestAddr) -> Result<()> {
    if uaddr.0.is_multiple_of(4) { Ok(()) } else { Err(Errno::EINVAL.because("the word is not aligned")) }
}

fn key(mm: &Arc<Mm>, uaddr: GuestAddr, shared: bool) -> Result<FutexKey> {
    check_aligned(uaddr)?;
    mm.futex_key(uaddr, shared)
}

/// A deadline that a restart of the call must keep.
fn relative_deadline(cx: &Cx<'_>, timeout: GuestAddr) -> Result<Option<u64>> {
    let deadline = crate::time::read_timeout(cx, timeout)?;
    let kept = cx.task.restart_deadline_ns.swap(0, Ordering::SeqCst);
    Ok(if kept != 0 && deadline.is_some() { Some(kept) } else { deadline })
}

fn absolute_deadline(cx: &Cx<'_>, timeout: GuestAddr, realtime: bool) -> Result<Option<u64>> {
    if timeout.is_null() {
        return Ok(None);
    }
    let at = crate::time::read_timespec(cx, timeout)?;
    if !realtime {
        return Ok(Some(at));
    }
    let offset = cx.kernel.clock().wall_offset_ns();
    Ok(Some(i128::from(at).saturating_sub(i128::from(offset)).clamp(0, i128::from(u64::MAX)) as u64))
}

fn wait(
    cx: &mut Cx<'_>,
    uaddr: GuestAddr,
    shared: bool,
    expected: u32,
    bitset: u32,
    deadline: Option<u64>,
) -> Result<Outcome> {
    if bitset == 0 {
        return Err(Errno::EINVAL.because("an empty bitset"));
    }
    let mm = cx.task.mm();
    let key = key(&mm, uaddr, shared)?;
    let waiter =
        Arc::new(Waiter { waker: cx.task.waker(), bitset, woken: AtomicBool::new(false), key: Mutex::new(key) });
    {
        let mut shard = cx.kernel.futexes().shards[Futexes::shard_of(&key)].lock();
        // The word is read under the lock that wakers take: whoever changes
        // the word after this finds the waiter.
        if mm.load_u32(uaddr)? != expected {
            return Err(Errno::EAGAIN.because("the word has changed"));
        }
        shard.entry(key).or_default().push(waiter.clone());
    }
    let queued = Queued { kernel: cx.kernel.clone(), waiter: Some(waiter.clone()) };
    let (task, kernel) = (cx.task.clone(), cx.kernel.clone());
    Ok(Outcome::wait(async move {
        let _queued = queued;
        let woken = poll_fn(|_| if waiter.woken.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending });
        match task.interruptible_until(&kernel, deadline, woken).await {
            Ok(Some(())) => Ok(0),
            Ok(None) => Err(Errno::ETIMEDOUT.because("the time is over")),
            Err(_) if waiter.woken.load(Ordering::SeqCst) => Ok(0),
            Err(_) => match deadline {
                Some(deadline) => {
                    task.restart_deadline_ns.store(deadline, Ordering::SeqCst);
                    Err(Error::INTERRUPTED_NO_HANDLER)
                }
                None => Err(Error::INTERRUPTED),
            },
        }
    }))
}

fn wake(cx: &Cx<'_>, uaddr: GuestAddr, shared: bool, count: u32, bitset: u32) -> Result<u32> {
    if bitset == 0 {
        return Err(Errno::EINVAL.because("an empty bitset"));
    }
    let key = key(&cx.task.mm(), uaddr, shared)?;
    Ok(cx.kernel.futexes().wake(&key, count.max(1), bitset))
}

/// Wakes waiters of a word that the kernel has written, whichever kind of
/// futex they wait on.
pub(crate) fn wake_at(kernel: &Kernel, mm: &Arc<Mm>, uaddr: GuestAddr, count: u32) {
    for shared in [false, true] {
        if let Ok(key) = key(mm, uaddr, shared) {
            kernel.futexes().wake(&key, count, FUTEX_BITSET_MATCH_ANY);
        }
    }
}

/// `FUTEX_WAKE_OP`: changes the second word, wakes waiters of the first, and
/// of the second if its old value compares as asked.
fn wake_op(
    cx: &Cx<'_>,
    uaddr: GuestAddr,
    uaddr2: GuestAddr,
    shared: bool,
    count: u32,
    count2: u32,
    encoded: u32,
) -> Result<u32> {
    let mm = cx.task.mm();
    let (first, second) = (key(&mm, uaddr, shared)?, key(&mm, uaddr2, shared)?);
    let field = |shift: u32| (encoded << (20 - shift)).cast_signed() >> 20;
    let (mut operand, compare_with) = (field(12), field(0));
    let (operation, compare) = (encoded >> 28 & 7, encoded >> 24 & 15);
    if encoded >> 31 != 0 {
        operand = 1_i32.wrapping_shl(operand.cast_unsigned());
    }
    let operand = operand.cast_unsigned();
    let old = loop {
        let old = mm.load_u32(uaddr2)?;
        let new = match operation {
            0 => operand,
            1 => old.wrapping_add(operand),
            2 => old | operand,
            3 => old & !operand,
            4 => old ^ operand,
            _ => return Err(Errno::ENOSYS.because("no such operation on the word")),
        };
        if mm.compare_exchange_u32(uaddr2, old, new)? == old {
            break old.cast_signed();
        }
    };
    let matches = match compare {
        0 => old == compare_with,
        1 => old != compare_with,
        2 => old < compare_with,
        3 => old <= compare_with,
        4 => old > compare_with,
        5 => old >= compare_with,
        _ => return Err(Errno::ENOSYS.because("no such comparison")),
    };
    let mut woken = cx.kernel.futexes().wake(&first, count.max(1), FUTEX_BITSET_MATCH_ANY);
    if matches {
        woken += cx.kernel.futexes().wake(&second, count2.max(1), FUTEX_BITSET_MATCH_ANY);
    }
    Ok(woken)
}

const HEAD_SIZE: usize = 24;

fn set_robust_list(cx: &mut Cx<'_>, head: GuestAddr, len: usize) -> Result<()> {
    if len != HEAD_SIZE {
        return Err(Errno::EINVAL.because("a robust list head has 24 bytes"));
    }
    cx.task.robust_list.store(head.0, Ordering::SeqCst);
    Ok(())
}

fn get_robust_list(cx: &mut Cx<'_>, pid: i32, head_ptr: GuestAddr, len_ptr: GuestAddr) -> Result<()> {
    let task = match pid {
        0 => cx.task.clone(),
        pid => {
            let task = u32::try_from(pid).ok().and_then(|tid| cx.kernel.tree().task(tid));
            task.ok_or_else(|| Errno::ESRCH.because("no such thread"))?
        }
    };
    let mm = cx.task.mm();
    mm.write_u64(len_ptr, HEAD_SIZE as u64)?;
    mm.write_u64(head_ptr, task.robust_list.load(Ordering::SeqCst))
}

/// Marks the robust locks that a thread holds at its end, and wakes one waiter
/// of each. Damaged lists end the walk, as in Linux.
pub(crate) fn release_robust_list(kernel: &Kernel, task: &Arc<Task>) {
    let head = task.robust_list.swap(0, Ordering::SeqCst);
    if head != 0 {
        // An unreadable list holds nothing.
        let _ = walk_robust_list(kernel, task, GuestAddr(head));
    }
}

fn walk_robust_list(kernel: &Kernel, task: &Arc<Task>, head: GuestAddr) -> Result<()> {
    let mm = task.mm();
    let mut entry = mm.read_u64(head)?;
    let offset = mm.read_u64(head.add(8))?;
    let pending = mm.read_u64(head.add(16))?;
    for _ in 0..ROBUST_LIST_LIMIT {
        if entry & !1 == head.0 {
            break;
        }
        let next = mm.read_u64(GuestAddr(entry & !1));
        if entry & !1 != pending & !1 {
            release_robust_word(kernel, task, &mm, GuestAddr((entry & !1).wrapping_add(offset)), false)?;
        }
        entry = next?;
    }
    if pending & !1 != 0 {
        release_robust_word(kernel, task, &mm, GuestAddr((pending & !1).wrapping_add(offset)), true)?;
    }
    Ok(())
}

fn release_robust_word(kernel: &Kernel, task: &Task, mm: &Arc<Mm>, word: GuestAddr, pending: bool) -> Result<()> {
    check_aligned(word)?;
    loop {
        let value = mm.load_u32(word)?;
        if pending && value == 0 {
            // It was being released when the thread died: somebody may wait.
            wake_at(kernel, mm, word, 1);
            return Ok(());
        }
        if value & FUTEX_TID_MASK != task.tid() {
            return Ok(());
        }
        let new = value & FUTEX_WAITERS | FUTEX_OWNER_DIED;
        if mm.compare_exchange_u32(word, value, new)? == value {
            if value & FUTEX_WAITERS != 0 {
                wake_at(kernel, mm, word, 1);
            }
            return Ok(());
        }
    }
}
