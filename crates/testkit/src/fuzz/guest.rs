//! Small guests for one input each.

use std::sync::Arc;
use std::time::Duration;

use kernel::fs::tmpfs::{Builder, FileData};
use kernel::fs::{FileTable, FsContext};
use kernel::task::{Creds, ExitStatus};
use kernel::{Config, Init, Kernel};
use machine_hosted::HostedMachine;

/// A machine with 16 MiB and a kernel whose root directory holds `program`.
pub(super) struct Guest {
    machine: Arc<HostedMachine>,
    kernel: Arc<Kernel>,
}

impl Guest {
    pub(super) fn new(program: &[u8]) -> Self {
        let config = machine_hosted::Config::new(16 << 20, 1);
        let machine = HostedMachine::new(config).unwrap_or_else(|error| panic!("no machine: {error}"));
        let config = Config {
            hostname: "fuzz".into(),
            cmdline: String::new(),
            trace: None,
            hwcap: [0; 2],
            cpuinfo: String::new(),
        };
        let kernel = Kernel::new(machine.clone(), config).unwrap_or_else(|error| panic!("no kernel: {error:?}"));
        let mut builder = Builder::new(kernel.vfs().rootfs().clone());
        let added = builder.attributes(0o755, 0, 0, 0).file(b"program", FileData::from_bytes(program.to_vec()));
        added.unwrap_or_else(|error| panic!("no file: {error:?}"));
        Self { machine, kernel }
    }

    /// Loads the program as process 1; false if the kernel refuses it.
    pub(super) fn start(&self) -> bool {
        let init = Init {
            path: b"/program".to_vec(),
            argv: vec![b"program".to_vec()],
            envp: Vec::new(),
            creds: Creds::new(0, 0),
            fs: FsContext::new(self.kernel.vfs().root()),
            files: FileTable::new(),
        };
        self.kernel.start_init(init).is_ok()
    }

    /// Runs until process 1 ends, or for `limit`.
    pub(super) fn run(self, limit: Duration) -> Option<ExitStatus> {
        let kernel = self.kernel.clone();
        let running = self.machine.start(move |cpu| kernel.cpu_main(cpu));
        let running = running.unwrap_or_else(|error| panic!("no thread: {error}"));
        let kernel = self.kernel.clone();
        let (done, ended) = std::sync::mpsc::channel::<()>();
        let watchdog = std::thread::spawn(move || {
            let _ = ended.recv_timeout(limit);
            kernel.shut_down();
        });
        let result = running.join();
        drop(done);
        let _ = watchdog.join();
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
        self.kernel.init_status()
    }
}
