//! The system calls about tasks, processes and the system as a whole.

use machine::GuestAddr;

use crate::syscall::{PathArg, Row};
use crate::task::{clone, exec, exit, groups, ids, limits, misc, prctl, sched, wait};

pub(crate) const ROWS: &[Row] = crate::syscalls! {
    90 capget(header: GuestAddr, data: GuestAddr) Full, ids::capget;
    91 capset(header: GuestAddr, data: GuestAddr)
        Partial("capabilities follow from the user; they cannot be dropped one by one"), ids::capset;
    92 personality(persona: u32) Partial("only the Linux persona"), misc::personality;
    93 exit(status: i32) Full, exit::exit;
    94 exit_group(status: i32) Full, exit::exit_group;
    95 waitid(which: u32, id: i32, info: GuestAddr, options: u32, rusage: GuestAddr) Full, wait::waitid;
    96 set_tid_address(tidptr: GuestAddr) Full, misc::set_tid_address;
    118 sched_setparam(pid: i32, param: GuestAddr) Partial("SCHED_OTHER only"), sched::sched_setparam;
    119 sched_setscheduler(pid: i32, policy: u32, param: GuestAddr)
        Partial("no real-time policies"), sched::sched_setscheduler;
    120 sched_getscheduler(pid: i32) Full, sched::sched_getscheduler;
    121 sched_getparam(pid: i32, param: GuestAddr) Full, sched::sched_getparam;
    122 sched_setaffinity(pid: i32, size: usize, mask: GuestAddr)
        Partial("the mask is checked, and is advice"), sched::sched_setaffinity;
    123 sched_getaffinity(pid: i32, size: usize, mask: GuestAddr) Full, sched::sched_getaffinity;
    124 sched_yield() Full, sched::sched_yield;
    125 sched_get_priority_max(policy: u32) Full, sched::sched_get_priority_max;
    126 sched_get_priority_min(policy: u32) Full, sched::sched_get_priority_min;
    127 sched_rr_get_interval(pid: i32, interval: GuestAddr) Full, sched::sched_rr_get_interval;
    128 restart_syscall() Full, misc::restart_syscall;
    140 setpriority(which: u32, who: i32, nice: i32)
        Partial("the value is kept; the scheduler gives every task the same share"), limits::setpriority;
    141 getpriority(which: u32, who: i32) Full, limits::getpriority;
    142 reboot(magic1: u32, magic2: u32, command: u32) Partial("every command stops the machine"), misc::reboot;
    143 setregid(rgid: u32, egid: u32) Full, ids::setregid;
    144 setgid(gid: u32) Full, ids::setgid;
    145 setreuid(ruid: u32, euid: u32) Full, ids::setreuid;
    146 setuid(uid: u32) Full, ids::setuid;
    147 setresuid(ruid: u32, euid: u32, suid: u32) Full, ids::setresuid;
    148 getresuid(ruid: GuestAddr, euid: GuestAddr, suid: GuestAddr) Full, ids::getresuid;
    149 setresgid(rgid: u32, egid: u32, sgid: u32) Full, ids::setresgid;
    150 getresgid(rgid: GuestAddr, egid: GuestAddr, sgid: GuestAddr) Full, ids::getresgid;
    151 setfsuid(uid: u32) Full, ids::setfsuid;
    152 setfsgid(gid: u32) Full, ids::setfsgid;
    154 setpgid(pid: i32, pgid: i32) Full, groups::setpgid;
    155 getpgid(pid: i32) Full, groups::getpgid;
    156 getsid(pid: i32) Full, groups::getsid;
    157 setsid() Full, groups::setsid;
    158 getgroups(size: i32, list: GuestAddr) Full, ids::getgroups;
    159 setgroups(size: i32, list: GuestAddr) Full, ids::setgroups;
    160 uname(buf: GuestAddr) Full, misc::uname;
    161 sethostname(name: GuestAddr, len: i32) Full, misc::sethostname;
    163 getrlimit(resource: u32, rlim: GuestAddr) Full, limits::getrlimit;
    164 setrlimit(resource: u32, rlim: GuestAddr) Full, limits::setrlimit;
    165 getrusage(who: i32, usage: GuestAddr) Partial("times and the largest size only"), limits::getrusage;
    167 prctl(option: u32, arg2: u64, arg3: u64, arg4: u64, arg5: u64)
        Partial("names, dumpable, subreaper, death signal, no_new_privs"), prctl::prctl;
    168 getcpu(cpu: GuestAddr, node: GuestAddr) Full, sched::getcpu;
    172 getpid() Full, groups::getpid;
    173 getppid() Full, groups::getppid;
    174 getuid() Full, ids::getuid;
    175 geteuid() Full, ids::geteuid;
    176 getgid() Full, ids::getgid;
    177 getegid() Full, ids::getegid;
    178 gettid() Full, groups::gettid;
    179 sysinfo(info: GuestAddr) Full, misc::sysinfo;
    220 clone(flags: u64, stack: u64, parent_tid: GuestAddr, tls: u64, child_tid: GuestAddr)
        Partial("no namespaces"), clone::clone;
    221 execve(path: PathArg, argv: GuestAddr, envp: GuestAddr) Full, exec::execve;
    260 wait4(pid: i32, wstatus: GuestAddr, options: u32, rusage: GuestAddr) Full, wait::wait4;
    261 prlimit64(pid: i32, resource: u32, new: GuestAddr, old: GuestAddr) Full, limits::prlimit64;
    278 getrandom(buf: GuestAddr, count: usize, flags: u32) Full, misc::getrandom;
    281 execveat(dirfd: i32, path: PathArg, argv: GuestAddr, envp: GuestAddr, flags: u32) Full, exec::execveat;
    283 membarrier(command: u32, flags: u32, cpu: i32) Partial("no SYNC_CORE and RSEQ commands"), misc::membarrier;
    424 pidfd_send_signal(fd: i32, sig: u32, info: GuestAddr, flags: u32)
        Partial("no siginfo from the caller"), misc::pidfd_send_signal;
    434 pidfd_open(pid: i32, flags: u32) Partial("no PIDFD_THREAD"), misc::pidfd_open;
    435 clone3(args: GuestAddr, size: usize) Partial("no namespaces, no chosen numbers"), clone::clone3;
};
