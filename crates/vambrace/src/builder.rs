//! [`GuestBuilder`]: everything about a guest that is chosen before it runs.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::Error;

/// What the guest sees as `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// The built-in userland, in memory.
    Builtin,
    /// A directory of the host.
    Dir(PathBuf),
    /// A file of the host that holds an ext2 file system, as the first disk.
    Image(PathBuf),
}

/// A host file or directory that the guest sees.
#[derive(Clone, Debug)]
pub(crate) struct Bind {
    pub(crate) host: PathBuf,
    pub(crate) guest: Vec<u8>,
    pub(crate) read_only: bool,
}

/// Where trace lines go.
pub(crate) type Trace = Box<dyn Fn(&str) + Send + Sync>;

/// A guest that is being configured.
pub struct GuestBuilder {
    pub(crate) root: Root,
    pub(crate) binds: Vec<Bind>,
    pub(crate) disks: Vec<PathBuf>,
    pub(crate) env: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) cwd: Option<Vec<u8>>,
    pub(crate) user: (u32, u32),
    pub(crate) cpus: usize,
    pub(crate) memory: u64,
    pub(crate) hostname: String,
    pub(crate) trace: Option<Trace>,
    pub(crate) gc_socket: Option<PathBuf>,
    pub(crate) is_init: bool,
    pub(crate) program: Vec<u8>,
    pub(crate) args: Vec<Vec<u8>>,
}

impl fmt::Debug for GuestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestBuilder")
            .field("root", &self.root)
            .field("binds", &self.binds)
            .field("cpus", &self.cpus)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

/// Where programs are looked up unless the environment says otherwise.
pub(crate) const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl GuestBuilder {
    /// A guest with this root, one CPU for each of the host's, 4 GiB of memory
    /// at most, user 0, and an environment of `PATH` and `HOME`.
    #[must_use]
    pub fn new(root: Root) -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from).min(64);
        Self {
            root,
            binds: Vec::new(),
            disks: Vec::new(),
            env: vec![(b"PATH".to_vec(), DEFAULT_PATH.to_vec()), (b"HOME".to_vec(), b"/root".to_vec())],
            cwd: None,
            user: (0, 0),
            cpus,
            memory: 4 << 30,
            hostname: "localhost".into(),
            trace: None,
            gc_socket: None,
            is_init: false,
            program: Vec::new(),
            args: Vec::new(),
        }
    }

    /// Makes a file or directory of the host visible at `guest`.
    #[must_use]
    pub fn bind(mut self, host: impl AsRef<Path>, guest: impl AsRef<[u8]>, read_only: bool) -> Self {
        let (host, guest) = (host.as_ref().to_owned(), guest.as_ref().to_vec());
        self.binds.push(Bind { host, guest, read_only });
        self
    }

    /// Makes a file of the host a disk of the guest: the next of `/dev/vda`,
    /// `/dev/vdb`, …
    #[must_use]
    pub fn disk(mut self, image: impl AsRef<Path>) -> Self {
        self.disks.push(image.as_ref().to_owned());
        self
    }

    /// Sets a variable of the environment, in place of one of that name.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref().to_vec();
        self.env.retain(|(other, _)| *other != name);
        self.env.push((name, value.as_ref().to_vec()));
        self
    }

    /// Sets the working directory, `/` (or `HOME` in the built-in userland)
    /// otherwise.
    #[must_use]
    pub fn cwd(mut self, dir: impl AsRef<[u8]>) -> Self {
        self.cwd = Some(dir.as_ref().to_vec());
        self
    }

    /// Sets the user and group.
    #[must_use]
    pub fn user(mut self, uid: u32, gid: u32) -> Self {
        self.user = (uid, gid);
        self
    }

    /// Sets the number of CPUs, each a thread of the host.
    #[must_use]
    pub fn cpus(mut self, cpus: usize) -> Self {
        self.cpus = cpus;
        self
    }

    /// Sets the most memory that the guest may use, in bytes.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Sets the node name.
    #[must_use]
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.hostname = name.into();
        self
    }

    /// Sets where a line about each system call goes.
    #[must_use]
    pub fn trace(mut self, sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.trace = Some(Box::new(sink));
        self
    }

    /// Opens a socket of the host, with mode 0600, that leads to the local
    /// sockets on which the guest's processes listen, such as those of the
    /// Ironwall runtime. It is there while the guest runs.
    #[must_use]
    pub fn gc_socket(mut self, path: impl AsRef<Path>) -> Self {
        self.gc_socket = Some(path.as_ref().to_owned());
        self
    }

    /// The program is an init: the console is nobody's controlling terminal
    /// until some process takes it. Otherwise the program itself has it.
    #[must_use]
    pub fn init(mut self) -> Self {
        self.is_init = true;
        self
    }

    /// Sets the program, looked up in the guest's `PATH` if its name has no
    /// slash, and its arguments without the name.
    #[must_use]
    pub fn program<A: AsRef<[u8]>>(mut self, program: impl AsRef<[u8]>, args: impl IntoIterator<Item = A>) -> Self {
        self.program = program.as_ref().to_vec();
        self.args = args.into_iter().map(|arg| arg.as_ref().to_vec()).collect();
        self
    }

    /// Runs the guest on the process's standard streams until its first
    /// process has ended, and gives that one's exit status as a shell would:
    /// the code, or 128 and the signal's number.
    ///
    /// # Errors
    /// When the guest cannot be set up or the program not be started.
    pub fn run(self) -> Result<u8, Error> {
        crate::guest::run(self)
    }
}
