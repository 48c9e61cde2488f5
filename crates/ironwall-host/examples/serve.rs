//! A program that builds a graph and lets its host ask about it.
//!
//! It opens its socket where `IRONWALL_SOCKET` says, or at `/run/ironwall/PID.sock`, prints that path and the address
//! of the root of its graph on a line each, and serves until its standard input ends. Ask it with `vambrace gc`.

use std::error::Error;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ironwall::{Block, Config, EntryId, Kind, Region, Runtime, TableLimits};
use ironwall_format::{Structure, Table};
use ironwall_host::{Mailbox, Names, Server, socket_file};

const HEAP: usize = 1 << 20;
/// How deep the tree is that lives; one as deep is built and dropped.
const DEPTH: u32 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let main = Structure::of_slots(Kind::Frame, "main", 1).with_field(0, "tree");
    let table = Table::new("examples", "serve").with(node()).with(main);
    let image = table.image()?;
    let mut frames = vec![0; 1024];
    let config = Config {
        tables: TableLimits { tables: 1, entries: 2, offsets: 8, globals: 0 },
        handles: 0,
        frames: Region::from_words(&mut frames),
        wipes: true,
        heap_is_zeroed: true,
        pages: None,
        on_fault: None,
    };
    let mut bookkeeping = vec![0; Runtime::bookkeeping_words(HEAP, &config).ok_or("no length of a heap")?];
    let mut heap = vec![0; HEAP / 8 + 1];
    // A heap begins at a multiple of 16.
    let skip = usize::from(!heap.as_ptr().addr().is_multiple_of(16));
    let region = Region::from_words(&mut heap[skip..][..HEAP / 8]);
    let mut runtime = Runtime::new(region, &mut bookkeeping, config).map_err(refused)?;
    let unit = runtime.attach(&image, []).map_err(refused)?;
    runtime.link().map_err(refused)?;
    runtime.start_unit(unit).map_err(refused)?;

    let entry = |kind, name| runtime.entry(table.id(), table.structure_id(kind, name)).ok_or("no such structure");
    let (node, main) = (entry(Kind::Heap, "Node")?, entry(Kind::Frame, "main")?);
    let frame = runtime.push_frame(main).map_err(refused)?;
    tree(&mut runtime, node, DEPTH)?;
    let root = tree(&mut runtime, node, DEPTH)?;
    runtime.store(frame, 0, root.address()).map_err(refused)?;

    let mut mailbox = Mailbox::new();
    mailbox.add_names(Names::of([&table]));
    let path = socket_file::conventional_path(socket_variable().as_deref())?;
    let server = Server::listen(path, mailbox.door())?;
    writeln!(std::io::stdout(), "{}\n{:#x}", server.path().display(), root.address())?;

    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    std::thread::spawn(move || {
        // Whatever ends the input ends the program.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        over.store(true, Ordering::SeqCst);
    });
    while !is_over.load(Ordering::SeqCst) {
        mailbox.serve_for(&mut runtime, Duration::from_millis(100));
    }
    // Whoever waits is told first, and then the socket goes.
    drop((mailbox, server));
    Ok(())
}

/// A node of a binary tree: its children, and a number.
fn node() -> Structure {
    Structure::new(Kind::Heap, "Node", 24, &[0, 8]).with_field(0, "left").with_field(8, "right")
}

/// A tree. Nothing is collected while it grows, so its parts need no frame.
fn tree(runtime: &mut Runtime<'_>, node: EntryId, depth: u32) -> Result<Block, Box<dyn Error>> {
    let block = runtime.allocate(node).map_err(refused)?;
    runtime.store(block, 16, depth.into()).map_err(refused)?;
    if depth > 0 {
        for slot in [0, 8] {
            let child = tree(runtime, node, depth - 1)?;
            runtime.store(block, slot, child.address()).map_err(refused)?;
        }
    }
    Ok(block)
}

fn refused(refusal: ironwall::Refusal) -> String {
    format!("the runtime refused: {refusal:?}")
}

#[expect(clippy::disallowed_methods, reason = "a program, not a library, reads the environment")]
fn socket_variable() -> Option<std::ffi::OsString> {
    std::env::var_os(socket_file::VARIABLE)
}
