//! `prctl`.

use core::sync::atomic::Ordering;

use linux_abi::Errno;
use linux_abi::capability::CAP_LAST_CAP;
use linux_abi::prctl as p;
use machine::GuestAddr;

use crate::error::{Because, Result};
use crate::syscall::Cx;
use crate::task::pauth;

pub(super) fn prctl(cx: &mut Cx<'_>, option: u32, arg2: u64, arg3: u64, arg4: u64, arg5: u64) -> Result<u64> {
    let process = &cx.task.process;
    let mm = cx.task.mm();
    let no_more = |args: &[u64]| {
        if args.iter().all(|&arg| arg == 0) { Ok(()) } else { Err(Errno::EINVAL.because("arguments that must be 0")) }
    };
    match option {
        p::PR_SET_NAME => {
            let mut comm = [0; 16];
            let (read, result) = mm.read_some(GuestAddr(arg2), &mut comm[..15]);
            let len = comm[..read].iter().position(|&byte| byte == 0);
            if len.is_none() {
                result?;
            }
            comm[len.unwrap_or(15)..].fill(0);
            *cx.task.comm.lock() = comm;
            Ok(0)
        }
        p::PR_GET_NAME => {
            let comm = *cx.task.comm.lock();
            mm.write(GuestAddr(arg2), &comm).map(|()| 0)
        }
        p::PR_GET_DUMPABLE => Ok(u64::from(process.dumpable.load(Ordering::SeqCst))),
        p::PR_SET_DUMPABLE => match arg2 {
            0 | 1 => {
                process.dumpable.store(u32::from(arg2 == 1), Ordering::SeqCst);
                Ok(0)
            }
            _ => Err(Errno::EINVAL.because("dumpable is 0 or 1")),
        },
        p::PR_SET_CHILD_SUBREAPER => {
            cx.kernel.tree().set_subreaper(process.pid, arg2 != 0);
            Ok(0)
        }
        p::PR_GET_CHILD_SUBREAPER => {
            let value = u32::from(cx.kernel.tree().is_subreaper(process.pid));
            mm.write_u32(GuestAddr(arg2), value).map(|()| 0)
        }
        p::PR_SET_NO_NEW_PRIVS if arg2 == 1 => {
            no_more(&[arg3, arg4, arg5])?;
            process.no_new_privs.store(true, Ordering::SeqCst);
            Ok(0)
        }
        p::PR_GET_NO_NEW_PRIVS => {
            no_more(&[arg2, arg3, arg4, arg5])?;
            Ok(u64::from(process.no_new_privs.load(Ordering::SeqCst)))
        }
        p::PR_SET_PDEATHSIG if arg2 <= 64 => {
            cx.task.parent_death_signal.store(u32::try_from(arg2).unwrap_or(0), Ordering::SeqCst);
            Ok(0)
        }
        p::PR_GET_PDEATHSIG => {
            let signal = cx.task.parent_death_signal.load(Ordering::SeqCst);
            mm.write_u32(GuestAddr(arg2), signal).map(|()| 0)
        }
        p::PR_CAPBSET_READ => {
            if arg2 <= u64::from(CAP_LAST_CAP) {
                Ok(1)
            } else {
                Err(Errno::EINVAL.because("no such capability"))
            }
        }
        p::PR_GET_KEEPCAPS | p::PR_GET_SECUREBITS | p::PR_GET_SECCOMP | p::PR_GET_THP_DISABLE => Ok(0),
        p::PR_GET_TIMERSLACK => Ok(50_000),
        p::PR_SET_TAGGED_ADDR_CTRL => {
            no_more(&[arg3, arg4, arg5])?;
            if arg2 & !p::PR_TAGGED_ADDR_ENABLE != 0 {
                return Err(Errno::EINVAL.because("no memory tagging here"));
            }
            mm.set_takes_tags(arg2 != 0);
            Ok(0)
        }
        p::PR_GET_TAGGED_ADDR_CTRL => {
            no_more(&[arg2, arg3, arg4, arg5])?;
            Ok(u64::from(mm.takes_tags()))
        }
        p::PR_PAC_RESET_KEYS => {
            no_more(&[arg3, arg4, arg5])?;
            pauth::reset(cx, arg2)
        }
        p::PR_PAC_SET_ENABLED_KEYS => {
            no_more(&[arg4, arg5])?;
            pauth::set_enabled(cx, arg2, arg3)
        }
        p::PR_PAC_GET_ENABLED_KEYS => {
            no_more(&[arg2, arg3, arg4, arg5])?;
            pauth::enabled(cx)
        }
        p::PR_SET_VMA => {
            // Names of anonymous mappings; without them /proc/self/maps shows
            // none, which is what a kernel built without the option does.
            Err(Errno::EINVAL.because("mappings have no names here"))
        }
        _ => Err(Errno::EINVAL.because("no such option here")),
    }
}
