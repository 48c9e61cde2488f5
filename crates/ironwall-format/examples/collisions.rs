//! Searches for structures with the same `tag1`: `collisions [LOG2]` tries 2^LOG2 names in each of two tables.
//!
//! By the birthday bound, 2^25 names have about two pairs with the same 48 bits. The pairs that the tests use were
//! found with LOG2 = 25, which takes about a minute and 1 GiB.

#![expect(clippy::print_stdout, reason = "a command that prints what it finds")]

use ironwall::{Kind, Uuid, tag};
use std::collections::HashMap;

fn main() {
    let log2: u32 = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(20);
    let tables = ["one", "two"].map(|unit| Uuid::of_table(b"collision", unit.as_bytes()));
    let tag1 = |which: usize, number: u32| {
        tag::tag1(Uuid::of_struct(tables[which], Kind::Heap, format!("S{number:x}").as_bytes()))
    };
    let all = || (0..2).flat_map(|which| (0..1u32 << log2).map(move |number| (which, number)));
    let mut tags: Vec<u64> = all().map(|(which, number)| tag1(which, number)).collect();
    tags.sort_unstable();
    let mut names: HashMap<u64, Vec<String>> =
        tags.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| (pair[0], Vec::new())).collect();
    drop(tags);
    for (which, number) in all() {
        if let Some(names) = names.get_mut(&tag1(which, number)) {
            names.push(format!("{}/S{number:x}", ["one", "two"][which]));
        }
    }
    for (tag1, names) in names {
        println!("{tag1:016x} {}", names.join(" "));
    }
}
