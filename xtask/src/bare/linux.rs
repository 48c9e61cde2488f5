//! A real Linux kernel to compare with: Debian's for ARM64, fetched and
//! unpacked, never installed.

use crate::shell::{files_in, find_program, run as run_command, target_dir};
use anyhow::{Context, Result, bail, ensure};
use object::{Object, ObjectSection};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules that the test machines' devices and disks need; what these need is added.
const MODULES: &[&str] = &["virtio_mmio", "virtio_blk", "virtio_net", "crc32c_generic", "ext4"];

/// Debian's kernel, unpacked.
#[derive(Debug)]
pub(crate) struct Linux {
    pub(crate) kernel: PathBuf,
    /// Module files in an order in which they can be loaded.
    pub(crate) modules: Vec<PathBuf>,
}

impl Linux {
    /// Fetches the kernel that Debian has now, unless one is there.
    pub(crate) fn fetch() -> Result<Self> {
        let place = target_dir().join("linux");
        let tree = place.join("tree");
        if !tree.join("boot").is_dir() {
            download(&place)?;
            let package = files_in(&place, "deb")?.pop().context("apt-get downloaded nothing")?;
            run_command(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&tree))?;
        }
        let kernel = entries(&tree.join("boot"))?.into_iter().find(|path| name_of(path).starts_with("vmlinuz"));
        let kernel = kernel.context("the package has no vmlinuz")?;
        let mut files = Vec::new();
        collect(&tree.join("lib/modules"), &mut files)?;
        let mut modules = Vec::new();
        for name in MODULES {
            add(name, &files, &mut modules)?;
        }
        Ok(Self { kernel, modules })
    }
}

/// The package that `linux-image-arm64` stands for, into `place`.
fn download(place: &Path) -> Result<()> {
    if find_program(&["apt-get"]).is_none() || find_program(&["dpkg-deb"]).is_none() {
        bail!("there is no apt-get or dpkg-deb to fetch Debian's kernel with");
    }
    fs::create_dir_all(place)?;
    let fetch = || -> Result<()> {
        let text = crate::shell::output(Command::new("apt-cache").args(["depends", "linux-image-arm64:arm64"]))?;
        let package = text.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
        let package = package.context("apt-cache knows no linux-image-arm64:arm64")?;
        let mut command = Command::new("apt-get");
        command.args(["-o", "APT::Sandbox::User=root", "download", package]);
        run_command(command.current_dir(place))
    };
    fetch().or_else(|_| {
        run_command(Command::new("dpkg").args(["--add-architecture", "arm64"]))?;
        run_command(Command::new("apt-get").args(["-o", "DPkg::Lock::Timeout=600", "update"]))?;
        fetch()
    })
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    read.map(|entry| Ok(entry?.path())).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for path in entries(dir)? {
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "ko") {
            files.push(path);
        }
    }
    Ok(())
}

/// Adds a module after those that it depends on.
fn add(name: &str, files: &[PathBuf], modules: &mut Vec<PathBuf>) -> Result<()> {
    let file = files.iter().find(|file| name_of(file).trim_end_matches(".ko").replace('-', "_") == name);
    let file = file.with_context(|| format!("the kernel's package has no module {name}"))?;
    if modules.contains(file) {
        return Ok(());
    }
    for dependency in dependencies(file)? {
        add(&dependency, files, modules)?;
    }
    modules.push(file.clone());
    Ok(())
}

/// The `depends=` entry of a module's `.modinfo` section.
fn dependencies(file: &Path) -> Result<Vec<String>> {
    let bytes = fs::read(file)?;
    let object = object::File::parse(bytes.as_slice()).with_context(|| format!("{} is no ELF file", file.display()))?;
    let section = object.section_by_name(".modinfo").context("a module without .modinfo")?;
    let text = String::from_utf8_lossy(section.data()?).into_owned();
    let entry = text.split('\0').find_map(|entry| entry.strip_prefix("depends="));
    let entry = entry.with_context(|| format!("{} names no dependencies", file.display()))?;
    ensure!(entry.is_ascii(), "{}: odd dependencies", file.display());
    Ok(entry.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect())
}
