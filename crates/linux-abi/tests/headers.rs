//! Compares every value, size and offset of this crate with what the C headers
//! say for arm64.
//!
//! `tests/fixture/headers.txt` holds `EXPRESSION<TAB>VALUE` lines, the value
//! being `-` where the headers do not know the expression. To make it anew,
//! with Linux' and glibc's headers for arm64 installed:
//! `UPDATE_FIXTURE=1 cargo test -p linux-abi --test headers`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use bitflags::Flags;
use linux_abi::*;

const KERNEL_HEADERS: &str = r"
#include <stddef.h>
#include <linux/types.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/falloc.h>
#include <linux/close_range.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/fadvise.h>
#include <linux/xattr.h>
#include <linux/stat.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/magic.h>
#include <linux/mman.h>
#include <linux/shm.h>
#include <linux/memfd.h>
#include <linux/signal.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <asm/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/ioprio.h>
#include <linux/resource.h>
#include <linux/wait.h>
#include <linux/pidfd.h>
#include <linux/futex.h>
#include <linux/poll.h>
#include <linux/eventpoll.h>
#include <linux/timerfd.h>
#include <linux/signalfd.h>
#include <linux/inotify.h>
#include <linux/termios.h>
#include <linux/sockios.h>
#include <linux/random.h>
#include <linux/time.h>
#include <linux/times.h>
#include <linux/timex.h>
#include <linux/utsname.h>
#include <linux/sysinfo.h>
#include <linux/reboot.h>
#include <linux/personality.h>
#include <linux/membarrier.h>
#include <linux/mount.h>
#include <linux/kcmp.h>
#include <linux/uio.h>
#include <linux/auxvec.h>
#include <asm/auxvec.h>
#include <asm/hwcap.h>
#include <linux/elf.h>
#include <linux/prctl.h>
#include <linux/securebits.h>
#include <linux/capability.h>
#include <linux/rseq.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <linux/audit.h>
#include <linux/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/un.h>
#include <linux/tcp.h>
struct rt_sigframe { siginfo_t info; struct ucontext uc; };
";

const LIBC_HEADERS: &str = r"
#define _GNU_SOURCE
#include <stddef.h>
#include <unistd.h>
#include <fcntl.h>
#include <dirent.h>
#include <elf.h>
#include <poll.h>
#include <signal.h>
#include <sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/icmp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
";

/// What Linux 6.1's and glibc 2.36's headers do not tell: newer than they are,
/// or internal to the kernel and visible through system calls alone.
const UNKNOWN: &[&str] = &[
    "AT_HWCAP3",
    "AT_HWCAP4",
    "AT_RSEQ_ALIGN",
    "AT_RSEQ_FEATURE_SIZE",
    "F_SEAL_EXEC",
    "MEMBARRIER_CMD_GET_REGISTRATIONS",
    "MFD_EXEC",
    "MFD_NOEXEC_SEAL",
    "PIDFD_THREAD",
    "PR_GET_MDWE",
    "PR_GET_MEMORY_MERGE",
    "PR_MDWE_REFUSE_EXEC_GAIN",
    "PR_SET_MDWE",
    "PR_SET_MEMORY_MERGE",
    "STATX_MNT_ID_UNIQUE",
    "STATX_SUBVOL",
    "ST_VALID",
    "SYSLOG_ACTION_CLEAR",
    "SYSLOG_ACTION_CLOSE",
    "SYSLOG_ACTION_CONSOLE_LEVEL",
    "SYSLOG_ACTION_CONSOLE_OFF",
    "SYSLOG_ACTION_CONSOLE_ON",
    "SYSLOG_ACTION_OPEN",
    "SYSLOG_ACTION_READ",
    "SYSLOG_ACTION_READ_ALL",
    "SYSLOG_ACTION_READ_CLEAR",
    "SYSLOG_ACTION_SIZE_BUFFER",
    "SYSLOG_ACTION_SIZE_UNREAD",
    "__NR_cachestat",
    "__NR_fchmodat2",
    "__NR_file_getattr",
    "__NR_file_setattr",
    "__NR_futex_requeue",
    "__NR_futex_wait",
    "__NR_futex_wake",
    "__NR_getxattrat",
    "__NR_listmount",
    "__NR_listxattrat",
    "__NR_lsm_get_self_attr",
    "__NR_lsm_list_modules",
    "__NR_lsm_set_self_attr",
    "__NR_map_shadow_stack",
    "__NR_mseal",
    "__NR_open_tree_attr",
    "__NR_removexattrat",
    "__NR_setxattrat",
    "__NR_statmount",
];

#[derive(Default)]
struct Claims(Vec<(String, i128)>);

impl Claims {
    fn consts<T: Copy + TryInto<i128>>(&mut self, table: &[(&str, T)]) {
        for &(name, value) in table {
            let value = value.try_into().unwrap_or_else(|_| panic!("{name} is no integer"));
            self.0.push((name.to_owned(), value));
        }
    }

    fn flags<F: Flags>(&mut self)
    where
        F::Bits: Into<u64>,
    {
        for flag in F::FLAGS {
            self.0.push((flag.name().to_owned(), i128::from(flag.value().bits().into())));
        }
    }

    fn layouts(&mut self, layouts: &[Layout]) {
        // Structures that end with an array of varying length, or of which we
        // have the fixed part only.
        let heads = BTreeMap::from([
            ("struct ucontext", "uc_mcontext"),
            ("struct sigcontext", "__reserved"),
            ("struct dirent64", "d_name"),
        ]);
        for layout in layouts {
            let name = layout.c_name;
            let size = match heads.get(name) {
                Some(tail) => format!("offsetof({name}, {tail})"),
                None => format!("sizeof({name})"),
            };
            self.0.push((size, layout.size as i128));
            for (field, offset, size) in layout.fields {
                self.0.push((format!("offsetof({name}, {field})"), *offset as i128));
                self.0.push((format!("sizeof((({name} *)0)->{field})"), *size as i128));
            }
        }
    }

    /// Where the bytes of `marker` lie in the `siginfo_t` of `fields`.
    fn siginfo(&mut self, field: &str, fields: signal::SigFields, marker: &[u8]) {
        let bytes = signal::SigInfo { si_signo: 0, si_errno: 0, si_code: 0, fields }.to_bytes();
        let offset = bytes.windows(marker.len()).position(|window| window == marker).expect("the marker is somewhere");
        self.0.push((format!("offsetof(siginfo_t, {field})"), offset as i128));
    }
}

fn claims() -> Vec<(String, i128)> {
    let mut c = Claims::default();
    for (number, name) in nr::CALLS {
        c.0.push((format!("__NR_{name}"), i128::from(*number)));
    }
    for number in 0..200 {
        if let Some(errno) = Errno::from_number(number) {
            c.0.push((errno.name().to_owned(), i128::from(number)));
        }
    }
    plain(&mut c);
    typed(&mut c);
    structures(&mut c);
    siginfo(&mut c);
    c.0
}

fn plain(c: &mut Claims) {
    c.consts(auxv::AUXV_TYPES);
    c.consts(capability::CAPABILITIES);
    c.consts(capability::CAPABILITY_VERSIONS);
    c.consts(dirent::DIRENT_TYPES);
    c.consts(elf::ELF_VALUES);
    c.consts(elf::ELF_DYNAMIC);
    c.consts(fcntl::FCNTL_COMMANDS);
    c.consts(fcntl::FCNTL_VALUES);
    c.consts(fcntl::SEEK_VALUES);
    c.consts(&[("AT_FDCWD", fcntl::AT_FDCWD)]);
    c.consts(&[("AT_REMOVEDIR", fcntl::AT_REMOVEDIR), ("O_ACCMODE", fcntl::O_ACCMODE), ("O_RDONLY", fcntl::O_RDONLY)]);
    c.consts(&[("O_SYNC", fcntl::O_SYNC.bits()), ("O_TMPFILE", fcntl::O_TMPFILE.bits())]);
    c.consts(&fcntl::LIMITS.iter().map(|(name, value)| (*name, *value as i128)).collect::<Vec<_>>());
    c.consts(fcntl::XATTR_FLAGS);
    c.consts(futex::FUTEX_OPS);
    c.consts(futex::FUTEX_VALUES);
    c.consts(ioctl::IOCTLS);
    c.consts(ipc::IPC_VALUES);
    c.consts(mman::ADVICE);
    c.consts(&[("MAP_TYPE", mman::MAP_TYPE), ("MLOCK_ONFAULT", mman::MLOCK_ONFAULT)]);
    c.consts(poll::EPOLL_OPS);
    c.consts(&[("EPOLL_CLOEXEC", poll::EPOLL_CLOEXEC)]);
    c.consts(prctl::PRCTL_OPTIONS);
    c.consts(prctl::PRCTL_VALUES);
    c.consts(resource::RLIMITS);
    c.consts(resource::RUSAGE_WHO);
    c.consts(rseq::RSEQ_VALUES);
    c.consts(&sched::STRUCT_VERSIONS.iter().map(|(name, value)| (*name, *value as i128)).collect::<Vec<_>>());
    c.consts(sched::SCHED_POLICIES);
    c.consts(sched::PRIORITY_VALUES);
    c.consts(&[("CSIGNAL", sched::CSIGNAL)]);
    c.consts(seccomp::SECCOMP_VALUES);
    c.consts(seccomp::SECCOMP_ACTIONS);
    c.consts(&[("AUDIT_ARCH_AARCH64", seccomp::AUDIT_ARCH_AARCH64)]);
    c.consts(sigframe::CONTEXT_MAGIC);
    c.consts(sigframe::PSTATE_BITS);
    c.consts(signal::SIGNALS);
    c.consts(signal::SIG_HOW);
    c.consts(signal::STACK_VALUES);
    c.consts(signal::SI_CODES);
    c.consts(signal::SIGNAL_CODES);
    c.consts(socket::ADDRESS_FAMILIES);
    c.consts(socket::SOCKET_TYPES);
    c.consts(socket::SOCKET_OPTIONS);
    c.consts(stat::MODE_BITS);
    c.consts(stat::STATX_ATTRIBUTES);
    c.consts(stat::FS_MAGIC);
    c.consts(&[("STATX__RESERVED", stat::STATX__RESERVED)]);
    c.consts(system::REBOOT_VALUES);
    c.consts(system::SYSLOG_ACTIONS);
    c.consts(system::KCMP_TYPES);
    c.consts(termios::CONTROL_VALUES);
    c.consts(&termios::CONTROL_CHARS.iter().map(|(name, value)| (*name, *value as i128)).collect::<Vec<_>>());
    c.consts(termios::TTY_VALUES);
    c.consts(&[("XTABS", termios::XTABS)]);
    c.consts(time::CLOCKS);
    c.consts(time::TIMER_VALUES);
    c.consts(wait::WAIT_IDS);
    c.consts(&[("WSTOPPED", wait::WSTOPPED.bits())]);
}

fn typed(c: &mut Claims) {
    c.flags::<auxv::Hwcap>();
    c.flags::<auxv::Hwcap2>();
    c.flags::<fcntl::OpenFlags>();
    c.flags::<fcntl::AtFlags>();
    c.flags::<fcntl::RenameFlags>();
    c.flags::<fcntl::ResolveFlags>();
    c.flags::<fcntl::FallocFlags>();
    c.flags::<fcntl::AccessCheck>();
    c.flags::<fcntl::Seals>();
    c.flags::<fcntl::CloseRangeFlags>();
    c.flags::<fcntl::SpliceFlags>();
    c.flags::<ipc::ShmatFlags>();
    c.flags::<mman::ProtFlags>();
    c.flags::<mman::MapFlags>();
    c.flags::<mman::MremapFlags>();
    c.flags::<mman::MsyncFlags>();
    c.flags::<mman::MlockallFlags>();
    c.flags::<mman::MfdFlags>();
    c.flags::<poll::PollEvents>();
    c.flags::<poll::EpollEvents>();
    c.flags::<poll::EventfdFlags>();
    c.flags::<poll::TimerfdFlags>();
    c.flags::<poll::TimerfdSetFlags>();
    c.flags::<poll::SignalfdFlags>();
    c.flags::<poll::InotifyInitFlags>();
    c.flags::<poll::InotifyMask>();
    c.flags::<prctl::Securebits>();
    c.flags::<sched::CloneFlags>();
    c.flags::<sched::SchedFlags>();
    c.flags::<signal::SaFlags>();
    c.flags::<socket::MsgFlags>();
    c.flags::<stat::StatxMask>();
    c.flags::<stat::StatfsFlags>();
    c.flags::<system::Personality>();
    c.flags::<system::GrndFlags>();
    c.flags::<system::MembarrierCmd>();
    c.flags::<system::MountFlags>();
    c.flags::<system::UmountFlags>();
    c.flags::<termios::InputModes>();
    c.flags::<termios::OutputModes>();
    c.flags::<termios::ControlModes>();
    c.flags::<termios::LocalModes>();
    c.flags::<uio::RwFlags>();
    c.flags::<wait::WaitFlags>();
    c.flags::<wait::PidfdFlags>();
}

fn structures(c: &mut Claims) {
    for layouts in [
        capability::LAYOUTS,
        dirent::LAYOUTS,
        elf::LAYOUTS,
        fcntl::LAYOUTS,
        futex::LAYOUTS,
        ipc::LAYOUTS,
        poll::LAYOUTS,
        resource::LAYOUTS,
        rseq::LAYOUTS,
        sched::LAYOUTS,
        seccomp::LAYOUTS,
        sigframe::LAYOUTS,
        signal::LAYOUTS,
        socket::LAYOUTS,
        stat::LAYOUTS,
        system::LAYOUTS,
        termios::LAYOUTS,
        time::LAYOUTS,
        uio::LAYOUTS,
    ] {
        c.layouts(layouts);
    }
    for (expression, value) in [
        ("sizeof(struct rt_sigframe)", sigframe::RT_SIGFRAME_SIZE),
        ("offsetof(struct rt_sigframe, info)", sigframe::RT_SIGFRAME_INFO),
        ("offsetof(struct rt_sigframe, uc)", sigframe::RT_SIGFRAME_UC),
        ("offsetof(struct ucontext, uc_mcontext)", sigframe::UC_MCONTEXT),
        ("sizeof(struct ucontext)", sigframe::UCONTEXT_SIZE),
        ("offsetof(struct sigcontext, __reserved)", sigframe::SIGCONTEXT_RESERVED),
        ("sizeof(((struct sigcontext *)0)->__reserved)", sigframe::SIGCONTEXT_RESERVED_SIZE),
        ("sizeof(struct sigcontext)", sigframe::SIGCONTEXT_SIZE),
    ] {
        c.0.push((expression.to_owned(), value as i128));
    }
}

fn siginfo(c: &mut Claims) {
    use signal::SigFields as F;
    let (a, b) = (0x0403_0201_u32, 0x1413_1211_u32);
    let (a_i, b_i) = (a.cast_signed(), b.cast_signed());
    let wide = 0x2827_2625_2423_2221_u64;
    let (a_le, b_le, wide_le) = (a.to_le_bytes(), b.to_le_bytes(), wide.to_le_bytes());
    c.0.push(("sizeof(siginfo_t)".to_owned(), signal::SigInfo::SIZE as i128));
    c.0.push(("offsetof(siginfo_t, si_errno)".to_owned(), 4));
    c.0.push(("offsetof(siginfo_t, si_code)".to_owned(), 8));
    c.siginfo("si_pid", F::Kill { pid: a_i, uid: b }, &a_le);
    c.siginfo("si_uid", F::Kill { pid: a_i, uid: b }, &b_le);
    let timer = F::Timer { timer_id: a_i, overrun: b_i, value: wide };
    c.siginfo("si_tid", timer, &a_le);
    c.siginfo("si_overrun", timer, &b_le);
    c.siginfo("_sifields._timer._sigval", timer, &wide_le);
    c.siginfo("si_value", F::Rt { pid: 0, uid: 0, value: wide }, &wide_le);
    let child = F::Child { pid: 0, uid: 0, status: a_i, utime: wide.cast_signed(), stime: i64::from(b) };
    c.siginfo("si_status", child, &a_le);
    c.siginfo("si_utime", child, &wide_le);
    c.siginfo("si_stime", child, &b_le);
    c.siginfo("si_addr", F::Fault { addr: wide }, &wide_le);
    let io = F::Poll { band: wide.cast_signed(), fd: a_i };
    c.siginfo("si_band", io, &wide_le);
    c.siginfo("si_fd", io, &a_le);
    let sys = F::Sys { call_addr: wide, syscall: a_i, arch: b };
    c.siginfo("si_call_addr", sys, &wide_le);
    c.siginfo("si_syscall", sys, &a_le);
    c.siginfo("si_arch", sys, &b_le);
}

fn fixture_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixture/headers.txt")
}

/// Asks the cross compiler for the values of `expressions`, without running
/// anything: each becomes an immediate in the assembly output. Lines that do
/// not compile are dropped and the rest tried again.
fn ask_compiler(headers: &str, expressions: &[String]) -> BTreeMap<String, i64> {
    let source = std::env::temp_dir().join(format!("linux-abi-headers-{}.c", std::process::id()));
    let mut open: Vec<usize> = (0..expressions.len()).collect();
    loop {
        let mut text = format!("{headers}void f(void) {{\n");
        let first_line = text.lines().count() + 1;
        for &i in &open {
            text += &format!("__asm__(\"\\n@@ {i} %c0\" :: \"i\"((long)({})));\n", expressions[i]);
        }
        text += "}\n";
        std::fs::write(&source, text).expect("the temporary directory is writable");
        let output = Command::new("aarch64-linux-gnu-gcc")
            .args(["-S", "-o", "-", "-w", "-fmax-errors=0"])
            .arg(&source)
            .output()
            .expect("the compiler starts");
        if output.status.success() {
            std::fs::remove_file(&source).expect("the file is ours");
            let text = String::from_utf8(output.stdout).expect("assembly is text");
            return text
                .lines()
                .filter_map(|line| line.strip_prefix("@@ "))
                .map(|line| {
                    let (index, value) = line.split_once(' ').expect("two words");
                    (expressions[index.parse::<usize>().expect("an index")].clone(), value.parse().expect("a number"))
                })
                .collect();
        }
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let bad: Vec<usize> = errors
            .lines()
            .filter(|line| line.contains("error:"))
            .filter_map(|line| line.split(':').nth(1)?.parse::<usize>().ok()?.checked_sub(first_line))
            .collect();
        assert!(!bad.is_empty(), "no line to drop: {errors}");
        let mut position = 0..;
        open.retain(|_| !bad.contains(&position.next().expect("endless")));
    }
}

fn update(expressions: &[String]) {
    let kernel = ask_compiler(KERNEL_HEADERS, expressions);
    let rest: Vec<String> = expressions.iter().filter(|e| !kernel.contains_key(*e)).cloned().collect();
    let libc = ask_compiler(LIBC_HEADERS, &rest);
    let mut text = String::new();
    for expression in expressions {
        let value = kernel.get(expression).or_else(|| libc.get(expression));
        let value = value.map_or_else(|| "-".to_owned(), ToString::to_string);
        text += &format!("{expression}\t{value}\n");
    }
    std::fs::write(fixture_path(), text).expect("the source tree is writable");
}

#[test]
fn values_sizes_and_offsets_are_those_of_the_c_headers() {
    let claims = claims();
    let mut expressions: Vec<String> = claims.iter().map(|claim| claim.0.clone()).collect();
    expressions.sort();
    expressions.dedup();
    #[expect(clippy::disallowed_methods, reason = "how a developer asks for a new fixture")]
    let wants_update = std::env::var_os("UPDATE_FIXTURE").is_some();
    if wants_update {
        update(&expressions);
    }
    let text = std::fs::read_to_string(fixture_path()).expect("the fixture is checked in");
    let fixture: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('\t')).collect();

    let mut wrong = Vec::new();
    for (expression, ours) in &claims {
        match fixture.get(expression.as_str()) {
            None => wrong.push(format!("{expression}: not in the fixture; make it anew")),
            Some(&"-") if UNKNOWN.contains(&expression.as_str()) => {}
            Some(&"-") => wrong.push(format!("{expression}: unknown to the headers")),
            Some(theirs) => {
                let theirs: i64 = theirs.parse().expect("the fixture holds numbers");
                // A C `int` with the top bit set is one of our unsigned values.
                let same = i128::from(theirs) == *ours
                    || i128::from(theirs.cast_unsigned()) == *ours
                    || (i32::try_from(theirs).is_ok_and(|int| i128::from(int.cast_unsigned()) == *ours));
                if !same {
                    wrong.push(format!("{expression}: {ours:#x} here, {theirs:#x} there"));
                }
            }
        }
    }
    for unknown in UNKNOWN {
        if fixture.get(unknown).is_some_and(|value| *value != "-") {
            wrong.push(format!("{unknown}: the headers know it by now"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(fixture.len(), expressions.len(), "the fixture has lines that nothing claims");
}
