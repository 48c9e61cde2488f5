//! What the compiler refuses, with what it accepts instead.
//!
//! Each pair differs in what is wrong alone, so the first of them fails for no other reason. All begin with
//! `use ironwall_rs::misuse::*;`, which has a unit and `with_heap`.

//! ## A reference of one heap in another
//! Each heap has a lifetime of its own, which no other equals.
//! ```compile_fail
//! # use ironwall_rs::misuse::*;
//! with_heap(|one, in_one| with_heap(|other, in_other| {
//!     let cell = one.allocate(in_one.cell)?;
//!     other.set(cell, Cell::number, 1)?;
//!     Ok(())
//! }))
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|one, in_one| with_heap(|other, in_other| {
//!     let cell = one.allocate(in_one.cell)?;
//!     one.set(cell, Cell::number, 1)?;
//!     Ok(())
//! }))
//! # .unwrap();
//! ```
//!
//! ## A structure of one heap in another
//! ```compile_fail
//! # use ironwall_rs::misuse::*;
//! with_heap(|one, in_one| with_heap(|other, in_other| {
//!     other.allocate(in_one.cell)?;
//!     Ok(())
//! }))
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|one, in_one| with_heap(|other, in_other| {
//!     other.allocate(in_other.cell)?;
//!     Ok(())
//! }))
//! # .unwrap();
//! ```
//!
//! ## A reference that outlives a collection
//! A collection wants the heap for itself, and a reference borrows from it.
//! ```compile_fail,E0502
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let cell = heap.allocate(classes.cell)?;
//!     heap.collect(0)?;
//!     heap.set(cell, Cell::number, 1)
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let cell = heap.allocate(classes.cell)?;
//!     let root = heap.root(cell)?;
//!     heap.collect(0)?;
//!     heap.set(root.get(heap)?, Cell::number, 1)
//! })
//! # .unwrap();
//! ```
//!
//! ## A reference that outlives a function that may collect
//! Whoever is called with `&mut Heap` may collect.
//! ```compile_fail,E0502
//! # use ironwall_rs::misuse::*;
//! fn rest(heap: &mut Heap<'_>) -> Result<(), Error> {
//!     heap.collect(0).map(drop)
//! }
//! with_heap(|heap, classes| {
//!     let cell = heap.allocate(classes.cell)?;
//!     rest(heap)?;
//!     heap.set(cell, Cell::number, 1)
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! fn rest(heap: &mut Heap<'_>) -> Result<(), Error> {
//!     heap.collect(0).map(drop)
//! }
//! with_heap(|heap, classes| {
//!     let cell = heap.allocate(classes.cell)?;
//!     heap.set(cell, Cell::number, 1)?;
//!     rest(heap)
//! })
//! # .unwrap();
//! ```
//!
//! ## A reference of before a frame, put into it
//! A frame that is pushed may collect; `push_with` and `call` take what it begins with.
//! ```compile_fail,E0502
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let mut outer = heap.push(classes.main)?;
//!     let cell = outer.allocate(classes.cell)?;
//!     let mut inner = outer.push(classes.main)?;
//!     inner.set_local(Main::list, Some(cell))?;
//!     inner.collect(0).map(drop)
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let mut outer = heap.push(classes.main)?;
//!     let mut inner = outer.call(classes.main, |outer, inner| {
//!         let cell = outer.allocate(classes.cell)?;
//!         inner.set_local(Main::list, Some(cell))
//!     })?;
//!     inner.collect(0).map(drop)
//! })
//! # .unwrap();
//! ```
//!
//! ## The heap behind a frame
//! While a frame is pushed it stands for the heap.
//! ```compile_fail,E0499
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let mut frame = heap.push(classes.main)?;
//!     heap.collect(0)?;
//!     frame.local(Main::list).map(drop)
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let mut frame = heap.push(classes.main)?;
//!     frame.collect(0)?;
//!     frame.local(Main::list).map(drop)
//! })
//! # .unwrap();
//! ```
//!
//! ## Frames popped out of order
//! The inner frame borrows the outer one.
//! ```compile_fail,E0505
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let mut outer = heap.push(classes.main)?;
//!     let inner = outer.push(classes.main)?;
//!     drop(outer);
//!     drop(inner);
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let mut outer = heap.push(classes.main)?;
//!     let inner = outer.push(classes.main)?;
//!     drop(inner);
//!     drop(outer);
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! ## A frame used after it was popped
//! ```compile_fail,E0382
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let frame = heap.push(classes.main)?;
//!     drop(frame);
//!     frame.set_local(Main::list, None)
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let frame = heap.push(classes.main)?;
//!     frame.set_local(Main::list, None)?;
//!     drop(frame);
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! ## A reference that leaves the program's closure
//! ```compile_fail
//! # use ironwall_rs::misuse::*;
//! let found = with_heap(|heap, classes| {
//!     let cell = heap.allocate(classes.cell)?;
//!     Ok(cell)
//! });
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! let found = with_heap(|heap, classes| {
//!     let cell = heap.allocate(classes.cell)?;
//!     heap.get(cell, Cell::number)
//! });
//! ```
//!
//! ## A root that leaves the program's closure
//! ```compile_fail
//! # use ironwall_rs::misuse::*;
//! let found = with_heap(|heap, classes| {
//!     let root = heap.root(heap.allocate(classes.cell)?)?;
//!     Ok(root)
//! });
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! let found = with_heap(|heap, classes| {
//!     let root = heap.root(heap.allocate(classes.cell)?)?;
//!     drop(root);
//!     Ok(())
//! });
//! ```
//!
//! ## A root of one heap, asked in another
//! ```compile_fail
//! # use ironwall_rs::misuse::*;
//! with_heap(|one, in_one| with_heap(|other, in_other| {
//!     let root = one.root(one.allocate(in_one.cell)?)?;
//!     root.get(other)?;
//!     Ok(())
//! }))
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|one, in_one| with_heap(|other, in_other| {
//!     let root = one.root(one.allocate(in_one.cell)?)?;
//!     root.get(one)?;
//!     Ok(())
//! }))
//! # .unwrap();
//! ```
//!
//! ## The field of another structure
//! ```compile_fail,E0308
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let cell = heap.allocate(classes.cell)?;
//!     heap.get(cell, Main::list)?;
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let cell = heap.allocate(classes.cell)?;
//!     heap.get(cell, Cell::next)?;
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! ## An object of another structure in a field
//! ```compile_fail,E0308
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let (cell, text) = (heap.allocate(classes.cell)?, heap.allocate_bytes(classes.text, b"x")?);
//!     heap.set(cell, Cell::next, Some(text))
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let (cell, text) = (heap.allocate(classes.cell)?, heap.allocate_bytes(classes.text, b"x")?);
//!     heap.set(cell, Cell::text, Some(text))
//! })
//! # .unwrap();
//! ```
//!
//! ## An object of unknown structure as one of a known
//! `Class::cast` finds out.
//! ```compile_fail,E0308
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let any = heap.allocate(classes.cell)?.erase();
//!     heap.get(any, Cell::number)?;
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let any = heap.allocate(classes.cell)?.erase();
//!     if let Some(cell) = classes.cell.cast(heap, any)? {
//!         heap.get(cell, Cell::number)?;
//!     }
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! ## A frame as an object
//! ```compile_fail,E0277
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     heap.allocate(classes.main)?;
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     heap.push(classes.main)?;
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//!
//! ## A number that has no room beside references
//! A `Small` has 63 bits, and `Small::new` says if a number has more.
//! ```compile_fail,E0308
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let array = heap.allocate_with(classes.array, 1)?;
//!     heap.set_element(array, 0, Value::Small(i64::MAX))
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let array = heap.allocate_with(classes.array, 1)?;
//!     heap.set_element(array, 0, Small::new(i64::MAX).map_or(Value::Nil, Value::Small))
//! })
//! # .unwrap();
//! ```
//!
//! ## A reference made of a number
//! Only the heap makes references.
//! ```compile_fail,E0624
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let cell = Gc::<Cell>::from_word(4096);
//!     heap.set(cell, Cell::number, 1)
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     let cell = heap.allocate(classes.cell)?;
//!     heap.set(cell, Cell::number, 1)
//! })
//! # .unwrap();
//! ```
//!
//! ## A heap in another thread
//! A heap, its references, frames and roots stay in their thread; `Memory` may go to another.
//! ```compile_fail,E0277
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     std::thread::scope(|scope| {
//!         scope.spawn(|| heap.collect(0).map(drop));
//!     });
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//! ```
//! # use ironwall_rs::misuse::*;
//! with_heap(|heap, classes| {
//!     std::thread::scope(|scope| {
//!         scope.spawn(|| with_heap(|heap, _| heap.collect(0).map(drop)));
//!     });
//!     Ok(())
//! })
//! # .unwrap();
//! ```
//!

#![expect(missing_docs, reason = "what the tests above use is named after what it is")]

pub use crate::{Class, Dynamic, Error, Gc, Heap, Limits, Memory, Ref, Small, UnitImage, Value};

crate::unit! {
    pub unit Sample("ironwall.example", "misuse") {
        heap Cell { next: Ref<Cell>, text: Ref<Text>, number: u64 }
        heap Text {} [u8]
        heap Array {} [Dynamic]
        frame Main { list: Ref<Cell> }
    }
}

/// The structures in a heap.
#[derive(Clone, Copy, Debug)]
pub struct Classes<'id> {
    pub cell: Class<'id, Cell>,
    pub text: Class<'id, Text>,
    pub array: Class<'id, Array>,
    pub main: Class<'id, Main>,
}

/// Runs a program in a small heap with the unit.
///
/// # Errors
/// What the program gives.
pub fn with_heap<R>(
    program: impl for<'id> FnOnce(&mut Heap<'id>, Classes<'id>) -> Result<R, Error>,
) -> Result<R, Error> {
    Memory::new(Limits::of(1 << 20))?.run(&mut [UnitImage::of::<Sample>()?], |heap| {
        let (cell, text, array, main) = (heap.class()?, heap.class()?, heap.class()?, heap.class()?);
        program(heap, Classes { cell, text, array, main })
    })
}
