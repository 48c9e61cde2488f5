//! The command line, defined once: parsing, help, man page and completions
//! come from it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use vambrace::Forward;

/// Runs ARM64 Linux programs in an ordinary process.
///
/// Without a command, opens a login shell in the built-in userland.
#[derive(Debug, Parser)]
#[command(name = "vambrace", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an ARM64 Linux program.
    ///
    /// The exit status is the program's, or 128 and the signal's number if a
    /// signal ended it; 127 if the program was not found, 126 if it could not
    /// be run, 125 if the guest could not be set up.
    Run(Run),
    /// Open a login shell in the built-in userland.
    ///
    /// Everything that the guest changes is in memory and is gone at the end,
    /// except below `--bind` directories.
    Shell(Shell),
    /// Boot the kernel on a machine of its own, in QEMU.
    ///
    /// The console is on the terminal: Ctrl-C goes to the guest, Ctrl-A x ends
    /// the machine. The exit status is 0 if the guest turned the machine off
    /// and 1 if it ended otherwise.
    Boot(Boot),
    /// Make, check and list disk images.
    Image(Image),
    /// Ask a running program of the Ironwall runtime to collect, or what it holds.
    ///
    /// The program answers when it comes to a host point. The exit status is 0
    /// if it did what was asked; 1 if it did not in time, refused, or found
    /// damage; 65 if what came is no answer, 69 if nobody is there, 74 if the
    /// connection broke.
    Gc(crate::gc::Gc),
    /// Inspect compiled units of the Ironwall runtime.
    ///
    /// The exit status is 0 if all is well, 1 if something was found, 2 for a
    /// wrong command line, 65 for a file that is not what it should be, 66 for
    /// one that is not there, 70 for an error in this program, and 74 if
    /// reading or writing failed.
    Unit(crate::unit::Unit),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page in roff.
    Man,
}

/// What both commands share.
#[derive(Args, Clone, Debug)]
pub(crate) struct Common {
    /// Make a host file or directory visible in the guest.
    #[arg(long, value_name = "HOST:GUEST[:ro]")]
    pub(crate) bind: Vec<Bind>,
    /// Set a variable of the guest's environment.
    #[arg(long, short, value_name = "K=V", value_parser = parse_env)]
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Start in this directory of the guest.
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
    /// Run as this user and group of the guest.
    #[arg(long, value_name = "UID[:GID]")]
    pub(crate) user: Option<User>,
    /// How many CPUs the guest has; each is a thread of the host.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) cpus: Option<u16>,
    /// The most memory the guest may use, with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    pub(crate) memory: Size,
    /// Make a file a disk of the guest, as the next of /dev/vda, /dev/vdb, …
    #[arg(long, value_name = "IMAGE")]
    pub(crate) disk: Vec<PathBuf>,
    /// Open a socket of this host, with mode 0600, by which `vambrace gc` asks
    /// programs of the guest.
    #[arg(long, value_name = "PATH")]
    pub(crate) gc_socket: Option<PathBuf>,
    /// Trace system calls to standard error, or to a file.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub(crate) strace: Option<Option<PathBuf>>,
}

/// `vambrace run`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Run {
    /// What the guest sees as `/`: a directory, or a file with an ext2 file
    /// system, which becomes its disk /dev/vda. The host's own root directory
    /// if it is not given.
    #[arg(long, value_name = "DIR|IMAGE")]
    pub(crate) root: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
    /// The program, looked up in the guest's PATH if it has no slash.
    #[arg(value_name = "PROGRAM", required = true)]
    pub(crate) program: OsString,
    /// Its arguments.
    #[arg(value_name = "ARG", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,
}

/// `vambrace shell`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Shell {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Arguments for the shell, such as `-c COMMAND`.
    #[arg(value_name = "ARG", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<OsString>,
}

/// `vambrace boot`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Boot {
    /// An ext2 image for the root file system, which is changed. Without it,
    /// the built-in userland on a disk that is gone at the end.
    #[arg(long, value_name = "IMG")]
    pub(crate) disk: Option<PathBuf>,
    /// How many CPUs the machine has.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) cpus: u16,
    /// How much memory the machine has, with K, M or G.
    #[arg(long, value_name = "SIZE", default_value = "512M")]
    pub(crate) memory: Size,
    /// Lead a TCP port of the host to one of the guest.
    #[arg(long, value_name = "[ADDRESS:]HOST:GUEST")]
    pub(crate) forward: Vec<Forward>,
    /// The kernel image, if it is not beside this program or where
    /// `cargo xtask kernel` puts it.
    #[arg(long, value_name = "PATH")]
    pub(crate) kernel: Option<PathBuf>,
    /// Words to add to the kernel's command line.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub(crate) append: Vec<String>,
    /// Arguments for QEMU, which prevail over the command's own.
    #[arg(value_name = "QEMU ARGS", last = true)]
    pub(crate) qemu_args: Vec<OsString>,
}

/// `vambrace image`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Image {
    #[command(subcommand)]
    pub(crate) command: ImageCommand,
}

/// What `vambrace image` does.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Make an ext2 image with a journal from a directory.
    ///
    /// Needs no privileges. The same directory makes the same bytes, with the
    /// times of the files, none later than SOURCE_DATE_EPOCH if that is set.
    /// Stretches of zeros take no room in the image's file.
    Create(Create),
    /// Look for contradictions in an image.
    ///
    /// Prints a line for each and ends with status 1 if there are any.
    Check {
        /// The image.
        image: PathBuf,
    },
    /// List an image, as `ls -lR` does.
    Ls {
        /// The image.
        image: PathBuf,
        /// Where to begin.
        #[arg(default_value = "/")]
        path: OsString,
    },
}

/// `vambrace image create`.
#[derive(Args, Clone, Debug)]
#[command(allow_missing_positional = true)]
pub(crate) struct Create {
    /// The directory whose contents go into the image.
    #[arg(value_name = "ROOTDIR", required_unless_present = "builtin", conflicts_with = "builtin")]
    pub(crate) root: Option<PathBuf>,
    /// The image to make.
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) image: PathBuf,
    /// Make it from the built-in userland instead of a directory.
    #[arg(long)]
    pub(crate) builtin: bool,
    /// Bytes, with K, M or G; what the files need and some room if not given.
    #[arg(long, value_name = "SIZE")]
    pub(crate) size: Option<Size>,
    /// Bytes in a block: 1024, 2048 or 4096.
    #[arg(long, value_name = "BYTES", default_value = "4096", value_parser = parse_block_size)]
    pub(crate) block_size: u32,
    /// The volume's name, of up to 16 bytes.
    #[arg(long, value_name = "NAME", default_value = "", value_parser = parse_label)]
    pub(crate) label: String,
    /// The volume's UUID; one that follows from the files if not given.
    #[arg(long, value_name = "UUID", value_parser = parse_uuid)]
    pub(crate) uuid: Option<[u8; 16]>,
    /// Who owns the files.
    #[arg(long, value_enum, default_value = "root")]
    pub(crate) owner: OwnerArg,
    /// Make no journal: the file system does not survive a loss of power
    /// unharmed.
    #[arg(long)]
    pub(crate) no_journal: bool,
}

/// Who owns the files of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OwnerArg {
    /// User 0 and group 0.
    Root,
    /// Who owns them here.
    Host,
}

fn parse_block_size(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(size @ (1024 | 2048 | 4096)) => Ok(size),
        _ => Err("expected 1024, 2048 or 4096".into()),
    }
}

fn parse_label(text: &str) -> Result<String, String> {
    if text.len() <= 16 { Ok(text.into()) } else { Err("it is longer than 16 bytes".into()) }
}

/// 32 hexadecimal digits, with hyphens anywhere.
fn parse_uuid(text: &str) -> Result<[u8; 16], String> {
    let digits: String = text.chars().filter(|&c| c != '-').collect();
    let number = u128::from_str_radix(&digits, 16);
    match number {
        Ok(number) if digits.len() == 32 && !digits.starts_with('+') => Ok(number.to_be_bytes()),
        _ => Err("expected 32 hexadecimal digits".into()),
    }
}

impl Default for Shell {
    fn default() -> Self {
        Self {
            common: Common {
                bind: Vec::new(),
                env: Vec::new(),
                cwd: None,
                user: None,
                cpus: None,
                memory: Size(4 << 30),
                disk: Vec::new(),
                gc_socket: None,
                strace: None,
            },
            args: Vec::new(),
        }
    }
}

fn parse_env(text: &str) -> Result<(OsString, OsString), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("expected NAME=VALUE".into()),
    }
}

/// `HOST:GUEST[:ro]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bind {
    pub(crate) host: PathBuf,
    pub(crate) guest: PathBuf,
    pub(crate) read_only: bool,
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (rest, read_only) = match text.strip_suffix(":ro") {
            Some(rest) => (rest, true),
            None => (text.strip_suffix(":rw").unwrap_or(text), false),
        };
        match rest.split_once(':') {
            Some((host, guest)) if !host.is_empty() && guest.starts_with('/') => {
                Ok(Self { host: host.into(), guest: guest.into(), read_only })
            }
            _ => Err("expected HOST:GUEST or HOST:GUEST:ro, with an absolute GUEST".into()),
        }
    }
}

/// `UID[:GID]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl FromStr for User {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`{text}` is no number"));
        let (uid, gid) = text.split_once(':').unwrap_or((text, text));
        Ok(Self { uid: number(uid)?, gid: number(gid)? })
    }
}

/// Bytes, given with an optional K, M, G or T.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let shift = match text[digits.len()..].to_ascii_uppercase().trim_end_matches('B').trim_end_matches('I') {
            "" => 0,
            "K" => 10,
            "M" => 20,
            "G" => 30,
            "T" => 40,
            unit => return Err(format!("`{unit}` is no unit; use K, M or G")),
        };
        let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no size"))?;
        number.checked_mul(1 << shift).map(Self).ok_or_else(|| format!("`{text}` is more than any machine has"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn everything_after_the_program_is_the_programs() {
        let cli = Cli::parse_from(["vambrace", "run", "--cwd", "/x", "ls", "-l", "--help"]);
        let Some(Command::Run(run)) = cli.command else { panic!("not run") };
        assert_eq!(run.program, "ls");
        assert_eq!(run.args, ["-l", "--help"]);
    }

    #[test]
    fn strace_takes_its_file_only_with_an_equals_sign() {
        let cli = Cli::parse_from(["vambrace", "run", "--strace", "ls"]);
        let Some(Command::Run(run)) = cli.command else { panic!("not run") };
        assert_eq!((run.common.strace, run.program), (Some(None), "ls".into()));
    }

    #[test]
    fn qemus_arguments_follow_two_dashes() {
        let cli = Cli::parse_from(["vambrace", "boot", "--forward", "2323:23", "--cpus", "2", "--", "-M", "virt"]);
        let Some(Command::Boot(boot)) = cli.command else { panic!("not boot") };
        assert_eq!((boot.cpus, boot.forward.len()), (2, 1));
        assert_eq!(boot.qemu_args, ["-M", "virt"]);
        assert!(Cli::try_parse_from(["vambrace", "boot", "image"]).is_err());
    }

    #[test]
    fn an_image_needs_a_directory_or_the_userland_but_not_both() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["vambrace", "image", "create"], args].concat());
        assert!(parse(&["dir", "image", "--size", "64M"]).is_ok());
        assert!(parse(&["--builtin", "image"]).is_ok());
        assert!(parse(&["image"]).is_err());
        assert!(parse(&["--builtin", "dir", "image"]).is_err());
        assert!(parse(&["dir", "image", "--uuid", "12"]).is_err());
        assert!(parse(&["dir", "image", "--block-size", "8192"]).is_err());
    }

    #[test]
    fn sizes_take_units_and_refuse_nonsense() {
        assert_eq!("512M".parse(), Ok(Size(512 << 20)));
        assert_eq!("2GiB".parse(), Ok(Size(2 << 30)));
        assert_eq!("4096".parse(), Ok(Size(4096)));
        assert!("4X".parse::<Size>().is_err());
        assert!("99999999999G".parse::<Size>().is_err());
    }

    #[test]
    fn a_bind_needs_an_absolute_guest_path() {
        let bind = Bind { host: "/a".into(), guest: "/b".into(), read_only: true };
        assert_eq!("/a:/b:ro".parse(), Ok(bind));
        assert!("/a:b".parse::<Bind>().is_err());
        assert!("/a".parse::<Bind>().is_err());
    }

    #[test]
    fn a_user_without_a_group_has_the_group_of_the_same_number() {
        assert_eq!("7".parse(), Ok(User { uid: 7, gid: 7 }));
        assert_eq!("7:8".parse(), Ok(User { uid: 7, gid: 8 }));
        assert!("root".parse::<User>().is_err());
    }
}
