//! The calls of the host's way in, with arguments of all kinds, in one process with their host.

use crate::calls::World;
use ironwall_capi::collect::{iw_collections, iw_host_point};
use ironwall_capi::heap::Runtime;
use ironwall_capi::host::{iw_explain, iw_host_close, iw_host_listen, iw_host_path, iw_host_serve, iw_name_fields};
use ironwall_capi::objects::{iw_handle_new, iw_message};
use ironwall_capi::status::*;
use ironwall_capi::types::*;
use ironwall_host::Client;
use serde_json::{Map, json};
use std::ffi::{CStr, CString, c_char};
use std::path::PathBuf;
use std::ptr::{null, null_mut};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn place(name: &str) -> (PathBuf, CString) {
    let path = std::env::temp_dir().join(format!("iwc{}-{name}.sock", std::process::id()));
    let text = CString::new(path.to_str().expect("text")).expect("no zero");
    (path, text)
}

fn message(heap: *mut Runtime) -> String {
    // SAFETY: the heap is there, and its message ends with a zero.
    unsafe { CStr::from_ptr(iw_message(heap)) }.to_string_lossy().into_owned()
}

/// What `iw_explain` says, with a buffer of a capacity.
fn explain(world: &World, block: Ref, format: u32, capacity: usize) -> (Status, u64, String) {
    let (mut buffer, mut length) = (vec![b'x'; capacity + 1], 0);
    let start = buffer.as_mut_ptr().cast::<c_char>();
    // SAFETY: the heap is there, the buffer is as long as is said, and the length can be written.
    let status = unsafe { iw_explain(world.heap, block, format, start, capacity as u64, &raw mut length) };
    assert_eq!(buffer[capacity], b'x', "nothing is written behind the buffer");
    let text = buffer.split(|&byte| byte == 0).next().expect("a text");
    (status, length, String::from_utf8(text.to_vec()).expect("UTF-8"))
}

#[test]
fn r6_e_a_block_is_explained_into_a_buffer_that_is_large_enough() {
    let world = World::new(0);
    let (kept, dropped) = (world.pair(), world.pair());
    let mut handle = 0;
    // SAFETY: the heap is there, and the handle can be written.
    assert_eq!(unsafe { iw_handle_new(world.heap, kept, &raw mut handle) }, IW_OK);
    let (status, length, text) = explain(&world, kept, IW_EXPLAIN_TEXT, 0);
    assert_eq!((status, text.as_str()), (IW_BUFFER_TOO_SMALL, "x"));
    let length = usize::try_from(length).expect("a length");
    // The zero at the end has to have room as well.
    let (status, _, text) = explain(&world, kept, IW_EXPLAIN_TEXT, length);
    assert_eq!((status, text), (IW_BUFFER_TOO_SMALL, "x".repeat(length + 1)), "nothing is written");
    let (status, _, text) = explain(&world, kept, IW_EXPLAIN_TEXT, length + 1);
    assert_eq!((status, text.len()), (IW_OK, length));
    let expected = format!("{kept:#x}: Pair of test/calls, heap, 16 bytes\nhandle ");
    assert!(text.starts_with(&expected) && text.contains("→ #0 Pair of test/calls"), "{text}");

    let (status, _, text) = explain(&world, dropped, IW_EXPLAIN_JSON, 4096);
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((status, &value["state"]), (IW_OK, &json!("unreachable")));
    assert_eq!(explain(&world, dropped, 3, 4096).0, IW_BAD_ARGUMENT);
    assert_eq!(explain(&world, 0x10, IW_EXPLAIN_TEXT, 4096).0, IW_NOT_A_BLOCK);
    // SAFETY: null is refused, or asks for the length.
    unsafe {
        assert_eq!(iw_explain(null_mut(), kept, IW_EXPLAIN_TEXT, null_mut(), 0, null_mut()), IW_BAD_ARGUMENT);
        assert_eq!(iw_explain(world.heap, kept, IW_EXPLAIN_TEXT, null_mut(), 0, null_mut()), IW_BUFFER_TOO_SMALL);
        assert_eq!(iw_explain(world.heap, kept, IW_EXPLAIN_TEXT, null_mut(), 4096, null_mut()), IW_BAD_ARGUMENT);
    }
}

#[test]
fn a_heap_has_one_socket_and_says_why_it_has_none() {
    let world = World::new(0);
    let (path, text) = place("one");
    // SAFETY: the heap is there, and the paths are strings or null.
    unsafe {
        assert_eq!(iw_host_close(world.heap), IW_NOT_LISTENING);
        assert_eq!(iw_host_path(world.heap, null_mut(), 0, null_mut()), IW_NOT_LISTENING);
        let mut served = 7;
        assert_eq!(iw_host_serve(world.heap, 0, &raw mut served), IW_NOT_LISTENING);
        assert_eq!(served, 0);
        assert_eq!(iw_host_point(world.heap), IW_OK, "without a socket there is nothing to serve");
        assert_eq!(iw_host_listen(world.heap, c"/nowhere/gc.sock".as_ptr()), IW_IO);
        assert!(message(world.heap).contains("/nowhere/gc.sock"), "{}", message(world.heap));
        assert_eq!(iw_host_listen(world.heap, c"".as_ptr()), IW_IO);
        assert_eq!(iw_host_listen(null_mut(), text.as_ptr()), IW_BAD_ARGUMENT);

        assert_eq!(iw_host_listen(world.heap, text.as_ptr()), IW_OK);
        assert_eq!(iw_host_listen(world.heap, text.as_ptr()), IW_LISTENING);
        let mut buffer = [0 as c_char; 256];
        assert_eq!(iw_host_path(world.heap, buffer.as_mut_ptr(), 256, null_mut()), IW_OK);
        assert_eq!(CStr::from_ptr(buffer.as_ptr()), text.as_c_str());
        let other = World::new(0);
        assert_eq!(iw_host_listen(other.heap, text.as_ptr()), IW_IO);
        assert!(message(other.heap).contains("another program listens"), "{}", message(other.heap));
        assert_eq!(iw_host_serve(world.heap, 1, null_mut()), IW_OK);
        assert_eq!(iw_host_close(world.heap), IW_OK);
        assert!(!path.exists());
    }
}

/// What a host's collection reclaims in zeal mode is filled like what others reclaim, and names are told.
#[test]
fn a_host_is_served_at_host_points_in_zeal_mode_too() {
    let world = World::new(IW_ZEAL_POINTS);
    let (path, text) = place("zeal");
    let kept = world.pair();
    let names = br#"{"package":"test","unit":"calls","structures":[
        {"kind":"heap","name":"Pair","fields":[{"name":"car","type":"ref"},{"name":"cdr","type":"ref"}]}]}"#;
    let mut handle = 0;
    // SAFETY: the heap is there, the rest can be read or written.
    unsafe {
        assert_eq!(iw_handle_new(world.heap, kept, &raw mut handle), IW_OK);
        assert_eq!(iw_name_fields(world.heap, b"{".as_ptr().cast(), 1), IW_BAD_NAMES);
        assert!(message(world.heap).contains("line 1"), "{}", message(world.heap));
        assert_eq!(iw_name_fields(world.heap, null(), 1), IW_BAD_ARGUMENT);
        assert_eq!(iw_name_fields(world.heap, names.as_ptr().cast(), names.len() as u64), IW_OK);
        assert_eq!(iw_host_listen(world.heap, text.as_ptr()), IW_OK);
    }
    let host = std::thread::spawn(move || {
        Client::connect(&path).expect("connected").request("gc.collect", Map::new(), LONG).expect("a report")
    });
    let (mut served, mut dropped, mut points) = (0, 0, 0);
    while served == 0 {
        // What the point before left has been reclaimed there.
        (dropped, points) = (world.pair(), points + 1);
        // SAFETY: the heap is there, and the number can be written.
        assert_eq!(unsafe { iw_host_serve(world.heap, 5, &raw mut served) }, IW_OK);
    }
    let report = host.join().expect("the host");
    assert_eq!((&report["live"], &report["dead"]), (&json!(1), &json!(1)));
    // SAFETY: the heap is there; what died is memory of the heap still.
    unsafe {
        assert_eq!(iw_collections(world.heap), points + 1, "each point collects, and the host once more");
        assert_eq!(std::ptr::with_exposed_provenance::<u64>(dropped as usize + 32).read(), IW_POISON);
    }
}
