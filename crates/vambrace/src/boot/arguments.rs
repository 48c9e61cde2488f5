//! QEMU's arguments for a machine.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::BootBuilder;

/// Files that a machine uses.
pub(super) struct Places<'a> {
    /// The root file system's image.
    pub(super) disk: &'a Path,
    /// The image is the user's, and what the guest has synced must be on it.
    pub(super) keeps_disk: bool,
    /// The socket of QEMU's machine protocol.
    pub(super) monitor: &'a Path,
}

impl BootBuilder {
    /// The arguments, with the user's own last: of two `-M`, `-cpu`, `-m`,
    /// `-smp`, `-global` or `-append`, QEMU takes each property from the later.
    pub(super) fn arguments(&self, places: &Places<'_>, on_terminal: bool) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        let mut add = |name: &str, value: OsString| args.extend([name.into(), value]);
        add("-M", "virt,gic-version=3".into());
        add("-cpu", "cortex-a72".into());
        add("-smp", self.cpus.to_string().into());
        add("-m", format!("{}M", self.memory.div_ceil(1 << 20)).into());
        add("-global", "virtio-mmio.force-legacy=false".into());
        add("-display", "none".into());
        // With the monitor on the same stream ^A is special; a pipe is binary.
        let mux = if on_terminal { "on" } else { "off" };
        add("-chardev", format!("stdio,id=console,signal=off,mux={mux}").into());
        add("-serial", "chardev:console".into());
        if on_terminal {
            add("-mon", "chardev=console,mode=readline".into());
        }
        add("-chardev", joined("socket,id=control,path=", places.monitor, ""));
        add("-mon", "chardev=control,mode=control".into());
        // A disk that is gone at the end need not be safe from a power cut.
        let cache = if places.keeps_disk { "" } else { ",cache=unsafe" };
        add("-drive", joined("if=none,id=root,format=raw,file=", places.disk, cache));
        add("-device", "virtio-blk-device,drive=root,serial=root".into());
        let forwards: String = self.forwards.iter().map(|forward| format!(",hostfwd={forward}")).collect();
        add("-netdev", format!("user,id=net{forwards}").into());
        add("-device", "virtio-net-device,netdev=net".into());
        add("-kernel", self.kernel.clone().into());
        add("-append", format!("root=/dev/vda rw ip=dhcp {}", self.append).trim().into());
        args.extend(["-nodefaults", "-no-reboot"].map(OsString::from));
        args.extend(self.qemu_args.iter().cloned());
        args
    }
}

/// A list of properties with a path among them, whose commas are doubled.
fn joined(before: &str, path: &Path, after: &str) -> OsString {
    let mut bytes = before.as_bytes().to_vec();
    for &byte in OsStr::as_bytes(path.as_os_str()) {
        bytes.extend(std::iter::repeat_n(byte, if byte == b',' { 2 } else { 1 }));
    }
    bytes.extend_from_slice(after.as_bytes());
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(builder: &BootBuilder, keeps_disk: bool, on_terminal: bool) -> Vec<String> {
        let places = Places { disk: Path::new("/d/a,b.img"), keeps_disk, monitor: Path::new("/run/qmp") };
        let args = builder.arguments(&places, on_terminal);
        args.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    /// The values of every occurrence of an option.
    fn values<'a>(words: &'a [String], option: &str) -> Vec<&'a str> {
        words.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1].as_str()).collect()
    }

    #[test]
    fn size_and_number_of_processors_are_passed_on() {
        let words = words(&BootBuilder::new("k").cpus(4).memory((3 << 30) + 1), true, false);
        assert_eq!((values(&words, "-smp"), values(&words, "-m")), (vec!["4"], vec!["3073M"]));
        assert_eq!(values(&words, "-kernel"), ["k"]);
    }

    #[test]
    fn the_users_arguments_come_last() {
        let builder = BootBuilder::new("k").qemu_arg("-M").qemu_arg("virt,gic-version=2");
        let words = words(&builder, true, false);
        assert_eq!(values(&words, "-M"), ["virt,gic-version=3", "virt,gic-version=2"]);
        assert_eq!(words[words.len() - 2..], ["-M", "virt,gic-version=2"]);
    }

    #[test]
    fn commas_in_a_path_are_doubled() {
        let words = words(&BootBuilder::new("k"), true, false);
        assert_eq!(values(&words, "-drive"), ["if=none,id=root,format=raw,file=/d/a,,b.img"]);
    }

    #[test]
    fn only_a_disk_that_is_gone_at_the_end_is_unsafe() {
        let drive = |keeps_disk| values(&words(&BootBuilder::new("k"), keeps_disk, false), "-drive")[0].to_owned();
        assert!(drive(false).ends_with(",cache=unsafe") && !drive(true).contains("cache"));
    }

    #[test]
    fn the_monitor_shares_a_terminal_but_no_pipe() {
        let on_terminal = words(&BootBuilder::new("k"), true, true);
        let on_pipe = words(&BootBuilder::new("k"), true, false);
        assert!(values(&on_terminal, "-chardev").contains(&"stdio,id=console,signal=off,mux=on"));
        assert!(values(&on_pipe, "-chardev").contains(&"stdio,id=console,signal=off,mux=off"));
        assert_eq!((values(&on_terminal, "-mon").len(), values(&on_pipe, "-mon").len()), (2, 1));
    }

    #[test]
    fn forwards_and_words_for_the_kernel_are_added() {
        let builder = BootBuilder::new("k").forward("2323:23".parse().unwrap()).forward("8080:80".parse().unwrap());
        let words = words(&builder.append("init=/bin/sh").append("quiet"), true, false);
        let netdev = "user,id=net,hostfwd=tcp:127.0.0.1:2323-:23,hostfwd=tcp:127.0.0.1:8080-:80";
        assert_eq!(values(&words, "-netdev"), [netdev]);
        assert_eq!(values(&words, "-append"), ["root=/dev/vda rw ip=dhcp init=/bin/sh quiet"]);
    }
}
