//! Loading good, odd and corrupt programs.

use super::*;
use crate::testing;
use linux_abi::Wire;
use linux_abi::elf::{Elf64Ehdr, Elf64Phdr, PF_R, PF_W, PF_X, PT_GNU_STACK, PT_INTERP, PT_LOAD};
use machine::{GuestAddr, Prot};
use std::string::String;
use std::vec;

const PAGE: u64 = 4096;
const TEXT: u64 = 0x40_0000;

fn ehdr(kind: u16, entry: u64, phnum: u16) -> Elf64Ehdr {
    let mut e_ident = [0; 16];
    e_ident[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    Elf64Ehdr {
        e_ident,
        e_type: kind,
        e_machine: 183,
        e_version: 1,
        e_entry: entry,
        e_phoff: 64,
        e_ehsize: 64,
        e_phentsize: 56,
        e_phnum: phnum,
        ..Elf64Ehdr::default()
    }
}

fn segment(flags: u32, offset: u64, vaddr: u64, filesz: u64, memsz: u64) -> Elf64Phdr {
    Elf64Phdr {
        p_type: PT_LOAD,
        p_flags: flags,
        p_offset: offset,
        p_vaddr: vaddr,
        p_paddr: vaddr,
        p_filesz: filesz,
        p_memsz: memsz,
        p_align: PAGE,
    }
}

/// An ELF file of four pages, the last byte of each page its number.
fn file(ehdr: &Elf64Ehdr, phdrs: &[Elf64Phdr]) -> Vec<u8> {
    let mut bytes = vec![0xcc; 4 * PAGE as usize];
    ehdr.store(&mut bytes[..64]);
    for (i, phdr) in phdrs.iter().enumerate() {
        phdr.store(&mut bytes[64 + 56 * i..][..56]);
    }
    bytes
}

/// A static program: code at `TEXT`, data with a tail of zero bytes.
fn static_program() -> Vec<u8> {
    let text = segment(PF_R | PF_X, 0, TEXT, 2 * PAGE, 2 * PAGE);
    let data = segment(PF_R | PF_W, 2 * PAGE + 0x10, TEXT + 2 * PAGE + 0x10, 0x100, 3 * PAGE);
    file(&ehdr(2, TEXT + 0x200, 2), &[text, data])
}

struct Bench {
    kernel: Arc<Kernel>,
    free: usize,
    creds: Creds,
}

impl Bench {
    fn new() -> Self {
        let kernel = testing::kernel();
        let free = kernel.frame_pool().free_count();
        Self { kernel, free, creds: Creds::new(1000, 100) }
    }

    fn program(&self, bytes: &[u8]) -> Program {
        let object = Object::anonymous(&self.kernel, 0);
        object.write_at(0, bytes).expect("memory");
        let path = self.kernel.vfs().anonymous_path("program");
        Program { object, label: Label::named("program"), path, set_uid: None, set_gid: None }
    }

    fn load_with(&self, bytes: &[u8], others: &[(&str, &[u8])]) -> Result<Image> {
        let request = Request {
            program: self.program(bytes),
            filename: b"/bin/prog",
            args: Args { argv: vec![b"prog".to_vec(), b"arg".to_vec()], envp: vec![b"A=b".to_vec()] },
            creds: &self.creds,
            limits: Limits::default(),
        };
        load(&self.kernel, request, &mut |path| {
            let found = others.iter().find(|(name, _)| name.as_bytes() == path);
            found.map(|(_, bytes)| self.program(bytes)).ok_or(Errno::ENOENT.into())
        })
    }

    fn load(&self, bytes: &[u8]) -> Result<Image> {
        self.load_with(bytes, &[])
    }

    fn check(&self, bytes: &[u8], expected: Errno) {
        assert_eq!(self.load(bytes).expect_err("it must not load").errno, expected);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.kernel.frame_pool().free_count(), self.free, "frames leak");
        }
    }
}

fn word(image: &Image, at: u64) -> u64 {
    image.mm.read_u64(GuestAddr(at)).expect("mapped")
}

fn text(image: &Image, at: u64) -> String {
    String::from_utf8(image.mm.read_cstr(GuestAddr(at), 4096).expect("a string")).expect("text")
}

/// The arguments, the environment and the auxiliary vector on the stack.
fn stack(image: &Image) -> (Vec<String>, Vec<String>, Vec<(u64, u64)>) {
    let strings = |at: &mut u64| {
        let mut all = Vec::new();
        loop {
            let pointer = word(image, *at);
            *at += 8;
            if pointer == 0 {
                return all;
            }
            all.push(text(image, pointer));
        }
    };
    let mut at = image.sp + 8;
    let argv = strings(&mut at);
    let envp = strings(&mut at);
    assert_eq!(word(image, image.sp), argv.len() as u64, "argc is the number of arguments");
    let mut auxv = Vec::new();
    loop {
        let pair = (word(image, at), word(image, at + 8));
        at += 16;
        if pair.0 == 0 {
            return (argv, envp, auxv);
        }
        auxv.push(pair);
    }
}

#[test]
fn a_static_program_is_mapped_as_its_headers_say() {
    let bench = Bench::new();
    let image = bench.load(&static_program()).expect("a good program");
    assert_eq!((image.entry, image.sp % 16), (TEXT + 0x200, 0));
    assert_eq!(&image.comm[..5], b"prog\0");
    let maps = image.mm.maps();
    let rx = Prot::READ | Prot::EXEC;
    let rw = Prot::READ | Prot::WRITE;
    let lines: Vec<_> = maps.iter().take(3).map(|line| (line.range.clone(), line.prot)).collect();
    let at = |first: u64, last: u64| TEXT + first * PAGE..TEXT + last * PAGE;
    assert_eq!(lines, [(at(0, 2), rx), (at(2, 3), rw), (at(3, 6), rw)]);
    assert_eq!(maps.last().expect("a stack").range.end, 1 << 48);
    let byte = |addr| image.mm.read_u64(GuestAddr(addr)).expect("mapped") & 0xff;
    assert_eq!(byte(TEXT + 2 * PAGE + 0x10), 0xcc);
    assert_eq!(byte(TEXT + 2 * PAGE + 0x110), 0, "what follows the file's part is zero");
    assert_eq!(byte(TEXT + 5 * PAGE), 0);
    let layout = image.mm.layout();
    assert_eq!(layout.brk, TEXT + 6 * PAGE..TEXT + 6 * PAGE);
    assert_eq!(layout.code, TEXT..TEXT + 2 * PAGE);
}

#[test]
fn the_stack_holds_arguments_environment_and_auxiliary_vector() {
    let bench = Bench::new();
    let image = bench.load(&static_program()).expect("a good program");
    let (argv, envp, auxv) = stack(&image);
    assert_eq!((argv, envp), (vec![String::from("prog"), String::from("arg")], vec![String::from("A=b")]));
    let value = |kind: u64| auxv.iter().find(|(key, _)| *key == kind).map(|(_, value)| *value);
    let expected = [(3, TEXT + 64), (4, 56), (5, 2), (6, 4096), (7, 0), (9, TEXT + 0x200), (11, 1000), (13, 100)];
    for (kind, expected) in expected {
        assert_eq!(value(kind), Some(expected), "auxiliary vector entry {kind}");
    }
    assert_eq!((value(17), value(23)), (Some(100), Some(0)));
    assert_eq!(text(&image, value(31).expect("AT_EXECFN")), "/bin/prog");
    assert_eq!(text(&image, value(15).expect("AT_PLATFORM")), "aarch64");
    let vdso = value(33).expect("AT_SYSINFO_EHDR");
    assert_eq!(word(&image, vdso) & 0xffff_ffff, 0x464c_457f);
    assert_ne!(word(&image, value(25).expect("AT_RANDOM")), 0);
    let layout = image.mm.layout();
    assert_eq!(text(&image, layout.args.start), "prog");
    assert_eq!(text(&image, layout.env.start), "A=b");
    assert_eq!((layout.args.end - layout.args.start, layout.env.end - layout.env.start), (9, 4));
    assert_eq!(layout.auxv.len(), (auxv.len() + 1) * 16);
}

#[test]
fn position_independent_programs_are_always_at_the_same_place() {
    let bench = Bench::new();
    let mut load = segment(PF_R | PF_X, 0, 0, 2 * PAGE, 2 * PAGE);
    load.p_align = 0x1_0000;
    let bytes = file(&ehdr(3, 0x100, 1), &[load]);
    for _ in 0..2 {
        assert_eq!(bench.load(&bytes).expect("a good program").entry, 0xaaaa_aaaa_0100);
    }
}

fn interp(path: &[u8]) -> (Elf64Phdr, Vec<u8>) {
    let header = Elf64Phdr { p_type: PT_INTERP, p_offset: 0x800, p_filesz: path.len() as u64, ..Elf64Phdr::default() };
    (header, path.to_vec())
}

fn dynamic_program(path: &[u8]) -> Vec<u8> {
    let (interp, path) = interp(path);
    let mut bytes = file(&ehdr(3, 0x100, 2), &[interp, segment(PF_R | PF_X, 0, 0, PAGE, PAGE)]);
    bytes[0x800..0x800 + path.len()].copy_from_slice(&path);
    bytes
}

#[test]
fn a_dynamic_program_starts_in_its_linker() {
    let bench = Bench::new();
    let linker = file(&ehdr(3, 0x40, 1), &[segment(PF_R | PF_X, 0, 0, 2 * PAGE, 2 * PAGE)]);
    let image = bench.load_with(&dynamic_program(b"/lib/ld.so\0"), &[("/lib/ld.so", &linker)]).expect("both are good");
    let (_, _, auxv) = stack(&image);
    let value = |kind: u64| auxv.iter().find(|(key, _)| *key == kind).map(|(_, value)| *value);
    let base = value(7).expect("AT_BASE");
    assert_eq!((image.entry, value(9)), (base + 0x40, Some(0xaaaa_aaaa_a100)));
    assert!(base > 0xffff_0000_0000 && base % PAGE == 0);
}

#[test]
fn a_bad_dynamic_linker_is_told_apart() {
    let bench = Bench::new();
    let program = dynamic_program(b"/lib/ld.so\0");
    let errno = |linker: &[u8]| bench.load_with(&program, &[("/lib/ld.so", linker)]).expect_err("bad").errno;
    assert_eq!(errno(b"#!/bin/sh"), Errno::ELIBBAD);
    let mut other = static_program();
    other[18] = 62;
    assert_eq!(errno(&other), Errno::ELIBBAD);
    bench.check(&program, Errno::ENOENT);
    bench.check(&dynamic_program(b"/lib/ld.so"), Errno::ENOEXEC);
    bench.check(&dynamic_program(b"\0"), Errno::ENOEXEC);
}

#[test]
fn corrupt_headers_are_enoexec() {
    let bench = Bench::new();
    for bytes in [&b""[..], b"\x7f", b"\x7fELF", b"text\n", &[0; 64]] {
        bench.check(bytes, Errno::ENOEXEC);
    }
    let patched = |at: usize, bytes: &[u8]| {
        let mut file = static_program();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    bench.check(&patched(16, &[1, 0]), Errno::ENOEXEC);
    bench.check(&patched(18, &[62, 0]), Errno::ENOEXEC);
    bench.check(&patched(54, &[55, 0]), Errno::ENOEXEC);
    bench.check(&patched(56, &[0, 0]), Errno::ENOEXEC);
    bench.check(&patched(56, &[0xff, 0xff]), Errno::ENOEXEC);
    bench.check(&patched(32, &[0xff; 8]), Errno::ENOEXEC);
    bench.check(&patched(64, &[0; 4])[..64], Errno::ENOEXEC);
}

#[test]
fn senseless_segments_are_refused() {
    let bench = Bench::new();
    let check = |segment: Elf64Phdr, errno| bench.check(&file(&ehdr(2, TEXT, 1), &[segment]), errno);
    check(segment(PF_R, 0, TEXT, 2 * PAGE, PAGE), Errno::EINVAL);
    check(segment(PF_R, 0, u64::MAX - 100, PAGE, PAGE), Errno::EINVAL);
    check(segment(PF_R, 0, 1 << 48, PAGE, PAGE), Errno::EINVAL);
    check(segment(PF_R, 0, TEXT, 0, u64::MAX), Errno::EINVAL);
    check(segment(PF_R, 0x10, TEXT, PAGE, PAGE), Errno::EINVAL);
    check(segment(PF_R, 0, TEXT + 0x10, PAGE, PAGE), Errno::EINVAL);
    check(segment(PF_R, u64::MAX - 4095, TEXT, PAGE, PAGE), Errno::EOVERFLOW);
    check(segment(PF_R, 0, 0, PAGE, PAGE), Errno::EPERM);
    check(segment(PF_R, 0, (1 << 48) - PAGE, PAGE, PAGE), Errno::EEXIST);
    check(segment(PF_R | PF_W, 0, TEXT, 0, 1 << 40), Errno::ENOMEM);
    check(Elf64Phdr { p_type: 4, ..segment(PF_R, 0, TEXT, PAGE, PAGE) }, Errno::ENOEXEC);
    bench.check(&file(&ehdr(2, u64::MAX, 1), &[segment(PF_R, 0, TEXT, PAGE, PAGE)]), Errno::EINVAL);
}

#[test]
fn truncated_and_flipped_programs_never_panic() {
    let bench = Bench::new();
    let linker = static_program();
    for program in [static_program(), dynamic_program(b"/lib/ld.so\0")] {
        for len in 0..200 {
            let _ = bench.load_with(&program[..len], &[("/lib/ld.so", &linker)]);
        }
        for at in 0..64 + 2 * 56 {
            for flip in [1, 0x10, 0x80, 0xff] {
                let mut bytes = program.clone();
                bytes[at] ^= flip;
                let _ = bench.load_with(&bytes, &[("/lib/ld.so", &linker)]);
            }
        }
    }
}

#[test]
fn the_stack_is_executable_only_if_the_program_asks() {
    let bench = Bench::new();
    let with = |flags: u32| {
        let stack = Elf64Phdr { p_type: PT_GNU_STACK, p_flags: flags, ..Elf64Phdr::default() };
        let bytes = file(&ehdr(2, TEXT, 2), &[segment(PF_R | PF_X, 0, TEXT, PAGE, PAGE), stack]);
        let image = bench.load(&bytes).expect("a good program");
        image.mm.maps().last().expect("a stack").prot.contains(Prot::EXEC)
    };
    assert_eq!((with(PF_R | PF_W), with(PF_R | PF_W | PF_X)), (false, true));
}

#[test]
fn scripts_run_their_interpreters_up_to_five_deep() {
    let bench = Bench::new();
    let program = static_program();
    let image = bench.load_with(b"#!/bin/sh -e x\n", &[("/bin/sh", &program)]).expect("a good script");
    assert_eq!(stack(&image).0, ["/bin/sh", "-e x", "/bin/prog", "arg"]);
    assert_eq!(&image.comm[..5], b"prog\0", "the task has the script's name");
    let chain: [(&str, &[u8]); 6] = [
        ("/1", b"#!/2\n"),
        ("/2", b"#!/3\n"),
        ("/3", b"#!/4\n"),
        ("/4", b"#!/5\n"),
        ("/5", &program),
        ("/0", b"#!/1\n"),
    ];
    let image = bench.load_with(b"#!/1\n", &chain).expect("five are allowed");
    assert_eq!(stack(&image).0, ["/5", "/4", "/3", "/2", "/1", "/bin/prog", "arg"]);
    assert_eq!(bench.load_with(b"#!/0\n", &chain).expect_err("too deep").errno, Errno::ELOOP);
    assert_eq!(bench.load_with(b"#!/x\n", &chain).expect_err("missing").errno, Errno::ENOENT);
}

#[test]
fn arguments_that_are_too_long_are_e2big() {
    let bench = Bench::new();
    let check = |argv: Vec<Vec<u8>>| {
        let request = Request {
            program: bench.program(&static_program()),
            filename: b"x",
            args: Args { argv, envp: Vec::new() },
            creds: &bench.creds,
            limits: Limits::default(),
        };
        load(&bench.kernel, request, &mut |_| Err(Errno::ENOENT.into())).map(|_| ()).map_err(|error| error.errno)
    };
    assert_eq!(check(vec![vec![b'x'; 128 * 1024 - 1]]), Ok(()));
    assert_eq!(check(vec![vec![b'x'; 128 * 1024]]), Err(Errno::E2BIG));
    assert_eq!(check(vec![vec![b'x'; 100_000]; 20]), Ok(()));
    assert_eq!(check(vec![vec![b'x'; 100_000]; 21]), Err(Errno::E2BIG));
    assert_eq!(check(vec![Vec::new(); 200_000]), Ok(()));
    assert_eq!(check(vec![Vec::new(); 300_000]), Err(Errno::E2BIG));
}

#[test]
fn set_user_id_programs_are_secure() {
    let bench = Bench::new();
    let mut program = bench.program(&static_program());
    program.set_uid = Some(0);
    let request = Request {
        program,
        filename: b"/bin/su",
        args: Args::default(),
        creds: &bench.creds,
        limits: Limits::default(),
    };
    let image = load(&bench.kernel, request, &mut |_| Err(Errno::ENOENT.into())).expect("a good program");
    assert!(image.secure);
    assert_eq!((image.creds.uid, image.creds.euid, image.creds.suid), (1000, 0, 0));
    let (argv, _, auxv) = stack(&image);
    assert_eq!(argv, [""], "a program has a name");
    assert!(auxv.contains(&(23, 1)) && auxv.contains(&(12, 0)));
}

#[test]
fn processes_share_the_frames_of_what_they_run() {
    let bench = Bench::new();
    let program = bench.program(&static_program());
    let run = || {
        let request = Request {
            program: program.clone(),
            filename: b"x",
            args: Args::default(),
            creds: &bench.creds,
            limits: Limits::default(),
        };
        load(&bench.kernel, request, &mut |_| Err(Errno::ENOENT.into())).expect("a good program")
    };
    let (a, b) = (run(), run());
    let frame = |image: &Image| {
        image.mm.read_u64(GuestAddr(TEXT)).expect("mapped");
        image.mm.table().translate(TEXT).expect("present").frame
    };
    assert_eq!(frame(&a), frame(&b));
}
