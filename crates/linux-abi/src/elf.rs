//! ELF64: headers of programs and of core files.

consts! {
    /// Values in an ELF header.
    ELF_VALUES: u32 {
        EI_CLASS = 4;
        EI_DATA = 5;
        EI_VERSION = 6;
        EI_OSABI = 7;
        EI_NIDENT = 16;
        ELFCLASS64 = 2;
        ELFDATA2LSB = 1;
        EV_CURRENT = 1;
        ET_NONE = 0;
        ET_REL = 1;
        ET_EXEC = 2;
        ET_DYN = 3;
        ET_CORE = 4;
        EM_AARCH64 = 183;
        EM_X86_64 = 62;
        PT_NULL = 0;
        PT_LOAD = 1;
        PT_DYNAMIC = 2;
        PT_INTERP = 3;
        PT_NOTE = 4;
        PT_SHLIB = 5;
        PT_PHDR = 6;
        PT_TLS = 7;
        PT_GNU_EH_FRAME = 0x6474_e550;
        PT_GNU_STACK = 0x6474_e551;
        PT_GNU_RELRO = 0x6474_e552;
        PT_GNU_PROPERTY = 0x6474_e553;
        PT_AARCH64_MEMTAG_MTE = 0x7000_0002;
        PF_X = 1;
        PF_W = 2;
        PF_R = 4;
        PN_XNUM = 0xffff;
        NT_PRSTATUS = 1;
        NT_PRFPREG = 2;
        NT_PRPSINFO = 3;
        NT_AUXV = 6;
        NT_ARM_TLS = 0x401;
        NT_GNU_PROPERTY_TYPE_0 = 5;
        GNU_PROPERTY_AARCH64_FEATURE_1_AND = 0xc000_0000;
        GNU_PROPERTY_AARCH64_FEATURE_1_BTI = 1;
    }
}

consts! {
    /// Dynamic section tags that a loader or a vDSO needs.
    ELF_DYNAMIC: u64 {
        DT_NULL = 0;
        DT_NEEDED = 1;
        DT_HASH = 4;
        DT_STRTAB = 5;
        DT_SYMTAB = 6;
        DT_STRSZ = 10;
        DT_SYMENT = 11;
        DT_SONAME = 14;
        DT_VERSYM = 0x6fff_fff0;
        DT_VERDEF = 0x6fff_fffc;
        DT_VERDEFNUM = 0x6fff_fffd;
    }
}

/// What an ELF file begins with.
pub const ELFMAG: [u8; 4] = *b"\x7fELF";

wire_structs! {
    /// The header of the file.
    Elf64Ehdr = "Elf64_Ehdr", 64 {
        e_ident: [u8; 16] = 0,
        e_type: u16 = 16,
        e_machine: u16 = 18,
        e_version: u32 = 20,
        e_entry: u64 = 24,
        e_phoff: u64 = 32,
        e_shoff: u64 = 40,
        e_flags: u32 = 48,
        e_ehsize: u16 = 52,
        e_phentsize: u16 = 54,
        e_phnum: u16 = 56,
        e_shentsize: u16 = 58,
        e_shnum: u16 = 60,
        e_shstrndx: u16 = 62,
    }
    /// A program header.
    Elf64Phdr = "Elf64_Phdr", 56 {
        p_type: u32 = 0,
        p_flags: u32 = 4,
        p_offset: u64 = 8,
        p_vaddr: u64 = 16,
        p_paddr: u64 = 24,
        p_filesz: u64 = 32,
        p_memsz: u64 = 40,
        p_align: u64 = 48,
    }
    /// A section header.
    Elf64Shdr = "Elf64_Shdr", 64 {
        sh_name: u32 = 0,
        sh_type: u32 = 4,
        sh_flags: u64 = 8,
        sh_addr: u64 = 16,
        sh_offset: u64 = 24,
        sh_size: u64 = 32,
        sh_link: u32 = 40,
        sh_info: u32 = 44,
        sh_addralign: u64 = 48,
        sh_entsize: u64 = 56,
    }
    /// A symbol.
    Elf64Sym = "Elf64_Sym", 24 {
        st_name: u32 = 0,
        st_info: u8 = 4,
        st_other: u8 = 5,
        st_shndx: u16 = 6,
        st_value: u64 = 8,
        st_size: u64 = 16,
    }
    /// The fixed part of a note; name and contents follow, each padded to 4 bytes.
    Elf64Nhdr = "Elf64_Nhdr", 12 {
        n_namesz: u32 = 0,
        n_descsz: u32 = 4,
        n_type: u32 = 8,
    }
}
