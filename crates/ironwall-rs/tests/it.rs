//! The wrapper, as a program uses it.

use ironwall_format::describe::Description;
use ironwall_rs::{Error, Heap, Limits, Memory, Origin, Refusal, Small, Unit, UnitImage, Value, unit};
use std::panic::{AssertUnwindSafe, catch_unwind};

unit! {
    unit All("test", "all") {
        heap Cell { next: Ref<Cell>, number: u64 }
        heap Numbers { a: u8, b: i16, c: u8, d: i32, e: f32, f: Ref<Cell>, g: f64, h: i64, i: u16, j: i8 }
        heap Text { hash: u32 } [u8]
        heap Array {} [Dynamic]
        heap Halves { length: u8 } [i16]
        frame Main { list: Ref<Cell>, any: Dynamic }
        global Kept { first: Ref<Cell>, count: u32 }
    }
}

unit! {
    unit Other("test", "other") { heap Elsewhere { next: Dynamic } }
}

/// Runs a program in a heap of 1 MiB with the unit `All`.
fn run<R>(program: impl for<'id> FnOnce(&mut Heap<'id>) -> Result<R, Error>) -> Result<R, Error> {
    Memory::new(Limits::of(1 << 20))?.run(&mut [UnitImage::of::<All>()?], program)
}

fn frames(heap: &mut Heap<'_>) -> usize {
    heap.inspect(|runtime| runtime.frames().count())
}

#[test]
fn r7_1_d_r7_1_e_a_unit_has_the_image_of_the_same_description() {
    let text = r#"{"package": "test", "unit": "all", "structures": [
        {"kind": "heap", "name": "Cell", "fields": [{"name": "next", "type": "ref"}, {"name": "number", "type": "u64"}]},
        {"kind": "heap", "name": "Numbers", "fields": [
            {"name": "a", "type": "u8"}, {"name": "b", "type": "i16"}, {"name": "c", "type": "u8"},
            {"name": "d", "type": "i32"}, {"name": "e", "type": "f32"}, {"name": "f", "type": "ref"},
            {"name": "g", "type": "f64"}, {"name": "h", "type": "i64"}, {"name": "i", "type": "u16"},
            {"name": "j", "type": "i8"}]},
        {"kind": "heap", "name": "Text", "fields": [{"name": "hash", "type": "u32"}], "tail": {"name": "t", "type": "u8"}},
        {"kind": "heap", "name": "Array", "tail": {"name": "t", "type": "value"}},
        {"kind": "heap", "name": "Halves", "fields": [{"name": "length", "type": "u8"}], "tail": {"name": "t", "type": "i16"}},
        {"kind": "frame", "name": "Main", "fields": [{"name": "list", "type": "ref"}, {"name": "any", "type": "value"}]},
        {"kind": "global", "name": "Kept", "fields": [{"name": "first", "type": "ref"}, {"name": "count", "type": "u32"}]}
    ]}"#;
    let described = Description::parse(text.as_bytes()).and_then(|description| description.image());
    assert_eq!(All::table().image().expect("an image"), described.expect("an image"));
}

#[test]
fn fields_that_share_a_word_keep_to_themselves() {
    run(|heap| {
        let (class, cell) = (heap.class::<Numbers>()?, heap.class::<Cell>()?);
        let (object, other) = (heap.allocate(class)?, heap.allocate(cell)?);
        heap.set(object, Numbers::a, 0xff)?;
        heap.set(object, Numbers::b, -2)?;
        heap.set(object, Numbers::c, 7)?;
        heap.set(object, Numbers::d, i32::MIN)?;
        heap.set(object, Numbers::e, 1.5)?;
        heap.set(object, Numbers::f, Some(other))?;
        heap.set(object, Numbers::g, -0.1)?;
        heap.set(object, Numbers::h, i64::MIN)?;
        heap.set(object, Numbers::i, 0xfffe)?;
        heap.set(object, Numbers::j, -1)?;
        heap.set(object, Numbers::a, 1)?;
        assert_eq!((heap.get(object, Numbers::a)?, heap.get(object, Numbers::b)?), (1, -2));
        assert_eq!((heap.get(object, Numbers::c)?, heap.get(object, Numbers::d)?), (7, i32::MIN));
        assert_eq!(
            (heap.get(object, Numbers::e)?.to_bits(), heap.get(object, Numbers::f)?),
            (1.5f32.to_bits(), Some(other))
        );
        assert_eq!(
            (heap.get(object, Numbers::g)?.to_bits(), heap.get(object, Numbers::h)?),
            ((-0.1f64).to_bits(), i64::MIN)
        );
        assert_eq!((heap.get(object, Numbers::i)?, heap.get(object, Numbers::j)?), (0xfffe, -1));
        Ok(())
    })
    .expect("a run");
}

#[test]
fn tails_have_as_many_elements_as_they_were_made_with() {
    run(|heap| {
        let (text, array, halves) = (heap.class::<Text>()?, heap.class::<Array>()?, heap.class::<Halves>()?);
        for len in [0, 1, 7, 8, 9, 100_000] {
            let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8 + 1).collect();
            let object = heap.allocate_bytes(text, &bytes)?;
            heap.set(object, Text::hash, 0xffff_ffff)?;
            assert_eq!((heap.count(object)?, heap.bytes(object)?), (len, bytes));
        }
        let object = heap.allocate_with(halves, 5)?;
        for i in 0..5 {
            heap.set_element(object, i, -(i as i16))?;
        }
        assert_eq!(
            (heap.element(object, 4)?, heap.element(object, 1)?, heap.get(object, Halves::length)?),
            (-4, -1, 0)
        );
        assert_eq!(heap.element(object, 5), Err(Error::NoSuchElement { index: 5, count: 5 }));
        assert_eq!(heap.set_element(object, u64::MAX, 0), Err(Error::NoSuchElement { index: u64::MAX, count: 5 }));
        let object = heap.allocate_with(array, 3)?;
        let values = [Value::Nil, Small::MIN.into(), object.into()];
        for (i, value) in (0..).zip(values) {
            heap.set_element(object, i, value)?;
        }
        for (i, value) in (0..).zip(values) {
            assert_eq!(heap.element(object, i)?, value);
        }
        assert!(array.cast(heap, object.erase())?.is_some() && text.cast(heap, object.erase())?.is_none());
        assert_eq!(heap.allocate_with(array, u64::MAX).err(), Some(Error::Refused(Refusal::BadExtent)));
        assert_eq!(heap.allocate_with(array, 1 << 29).err(), Some(Error::Refused(Refusal::BadExtent)));
        assert_eq!(heap.allocate_with(array, 1 << 20).err(), Some(Error::Refused(Refusal::OutOfMemory)));
        Ok(())
    })
    .expect("a run");
}

#[test]
fn small_numbers_have_63_bits() {
    assert_eq!((Small::MAX.get(), Small::MIN.get()), (i64::MAX / 2, i64::MIN / 2));
    for number in [Small::MAX, Small::MIN] {
        assert_eq!(Small::new(number.get()), Some(number));
        assert_eq!(Small::new(number.get() + number.get().signum()), None);
    }
}

#[test]
fn r3_1_frames_roots_and_globals_keep_objects_and_nothing_else_does() {
    run(|heap| {
        let (cell, main, kept) = (heap.class::<Cell>()?, heap.class::<Main>()?, heap.class::<Kept>()?);
        let root = heap.root(heap.allocate(cell)?)?;
        heap.set(heap.global(kept)?, Kept::first, Some(heap.allocate(cell)?))?;
        heap.set(heap.global(kept)?, Kept::count, 3)?;
        let mut frame = heap.push(main)?;
        frame.set_local(Main::any, frame.allocate(cell)?.into())?;
        frame.allocate(cell)?;
        let report = frame.collect(9)?;
        assert_eq!((report.live, report.dead, report.frames, report.globals, report.handles), (3, 1, 1, 1, 1));
        assert_eq!((report.reason, report.origin), (9, Origin::Program));
        drop(frame);
        assert_eq!(heap.collect(0)?.live, 2);
        drop(root);
        heap.set(heap.global(kept)?, Kept::first, None)?;
        assert_eq!(heap.get(heap.global(kept)?, Kept::count)?, 3);
        assert_eq!(heap.collect_for(Origin::Host, 0)?.live, 0);
        Ok(())
    })
    .expect("a run");
}

#[test]
fn frames_are_popped_by_a_panic() {
    run(|heap| {
        let main = heap.class::<Main>()?;
        let mut outer = heap.push(main)?;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut inner = outer.push(main).expect("a frame");
            let _innermost = inner.push(main).expect("a frame");
            std::panic::resume_unwind(Box::new("away"));
        }));
        assert!(panicked.is_err());
        assert_eq!(frames(&mut outer), 1);
        let filled = catch_unwind(AssertUnwindSafe(|| {
            let _ = outer.push_with(main, |_, _| std::panic::resume_unwind(Box::new("away")));
        }));
        assert!(filled.is_err());
        assert_eq!(frames(&mut outer), 1);
        drop(outer);
        assert_eq!(frames(heap), 0);
        Ok(())
    })
    .expect("a run");
}

#[test]
fn a_forgotten_frame_goes_with_the_one_below_it() {
    run(|heap| {
        let (cell, main) = (heap.class::<Cell>()?, heap.class::<Main>()?);
        let mut outer = heap.push(main)?;
        let inner = outer.push(main)?;
        inner.set_local(Main::list, Some(inner.allocate(cell)?))?;
        std::mem::forget(inner);
        assert_eq!((frames(&mut outer), outer.collect(0)?.live), (2, 1));
        drop(outer);
        assert_eq!((frames(heap), heap.collect(0)?.live), (0, 0));
        Ok(())
    })
    .expect("a run");
}

#[test]
fn a_frame_that_cannot_be_filled_is_popped() {
    run(|heap| {
        let (cell, main) = (heap.class::<Cell>()?, heap.class::<Main>()?);
        let filled = heap.push_with(main, |heap, fresh| {
            fresh.set_local(Main::list, Some(heap.allocate(cell)?))?;
            Err(Error::Refused(Refusal::BadOffset))
        });
        assert_eq!(filled.err(), Some(Error::Refused(Refusal::BadOffset)));
        assert_eq!(frames(heap), 0);
        let mut outer = heap.push_with(main, |heap, fresh| fresh.set_local(Main::list, Some(heap.allocate(cell)?)))?;
        let mut inner = outer.call(main, |outer, fresh| fresh.set_local(Main::list, outer.local(Main::list)?))?;
        inner.set_local(Main::any, Value::Nil)?;
        assert_eq!((inner.collect(0)?.live, inner.local(Main::list)?.is_some()), (1, true));
        Ok(())
    })
    .expect("a run");
}

#[test]
fn the_shadow_stack_ends() {
    fn deeper<'id>(heap: &mut Heap<'id>, main: ironwall_rs::Class<'id, Main>, depth: u32) -> (u32, Error) {
        match heap.push(main) {
            Ok(mut frame) => deeper(&mut frame, main, depth + 1),
            Err(error) => (depth, error),
        }
    }
    run(|heap| {
        let main = heap.class::<Main>()?;
        let (depth, error) = deeper(heap, main, 0);
        assert!(depth > 5000, "{depth}");
        assert_eq!((error, frames(heap)), (Error::Refused(Refusal::FramesFull), 0));
        Ok(())
    })
    .expect("a run");
}

#[test]
fn roots_are_counted() {
    run(|heap| {
        let cell = heap.class::<Cell>()?;
        let root = heap.root(heap.allocate(cell)?)?;
        let copy = root.copy(heap)?;
        drop(root);
        assert_eq!(heap.collect(0)?.live, 1);
        heap.set(copy.get(heap)?, Cell::number, 5)?;
        assert_eq!(heap.get(copy.get(heap)?, Cell::number)?, 5);
        // What is dropped while the runtime is looked at is released afterwards.
        heap.inspect(|_| drop(copy));
        let report = heap.collect(0)?;
        assert_eq!((report.live, report.handles), (0, 0));
        let mut roots = Vec::new();
        let refused = loop {
            match heap.root(heap.allocate(cell)?) {
                Ok(root) => roots.push(root),
                Err(error) => break error,
            }
        };
        assert_eq!((refused, roots.len()), (Error::Refused(Refusal::HandlesFull), 1024));
        Ok(())
    })
    .expect("a run");
}

#[test]
fn r2_c_r3_3_a_a_full_heap_refuses_and_does_not_collect() {
    run(|heap| {
        let cell = heap.class::<Cell>()?;
        let mut made = 0;
        let refused = loop {
            match heap.allocate(cell) {
                Ok(_) => made += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(refused, Error::Refused(Refusal::OutOfMemory));
        heap.may_collect()?;
        assert_eq!(heap.inspect(|runtime| runtime.collections()), 0);
        assert_eq!(heap.collect(0)?.dead, made);
        heap.allocate(cell).map(drop)
    })
    .expect("a run");
}

#[test]
fn zeal_collects_where_a_collection_could_happen() {
    let mut memory = Memory::new(Limits { zeal: true, ..Limits::of(1 << 20) }).expect("memory");
    let program = |heap: &mut Heap<'_>| {
        heap.may_collect()?;
        Ok(heap.inspect(|runtime| runtime.collections()))
    };
    let mut units = [UnitImage::of::<All>().expect("an image")];
    assert_eq!(memory.run(&mut units, program), Ok(1));
}

#[test]
fn r8_1_d_bodies_run_before_the_program_and_a_failure_stops() {
    fn body(heap: &mut Heap<'_>) -> Result<(), Error> {
        let kept = heap.class::<Kept>()?;
        let (cell, global) = (heap.allocate(heap.class::<Cell>()?)?, heap.global(kept)?);
        heap.set(global, Kept::first, Some(cell))
    }
    let mut memory = Memory::new(Limits::of(1 << 20)).expect("memory");
    let mut units = [UnitImage::of::<All>().expect("an image").with_body(body)];
    assert_eq!(memory.run(&mut units, |heap| Ok(heap.collect(0)?.live)), Ok(1));
    let failing: ironwall_rs::Body = |_| Err(Error::NoMemory(1));
    let mut units = [UnitImage::of::<All>().expect("an image").with_body(failing)];
    assert_eq!(memory.run(&mut units, |_| Ok(())), Err(Error::NoMemory(1)));
}

#[test]
fn what_is_not_attached_has_no_class() {
    run(|heap| {
        assert_eq!(heap.class::<Elsewhere>().err(), Some(Error::Refused(Refusal::UnitNotAttached)));
        Ok(())
    })
    .expect("a run");
    let twice = &mut [UnitImage::of::<Other>().expect("an image"), UnitImage::of::<Other>().expect("an image")];
    let refused = Memory::new(Limits::of(1 << 20)).expect("memory").run(twice, |_| Ok(()));
    assert_eq!(refused, Err(Error::Refused(Refusal::DuplicateTable)));
    assert_eq!(Memory::new(Limits::of(0)).err(), Some(Error::Refused(Refusal::BadRegion)));
    assert_eq!(Memory::new(Limits::of(usize::MAX)).err(), Some(Error::Refused(Refusal::BadRegion)));
}

#[test]
fn a_second_run_finds_an_empty_heap() {
    let mut memory = Memory::new(Limits { wipes: false, ..Limits::of(1 << 20) }).expect("memory");
    let mut units = [UnitImage::of::<All>().expect("an image")];
    for _ in 0..2 {
        let program = |heap: &mut Heap<'_>| {
            assert_eq!(heap.collect(0)?.live, 0, "global blocks are empty too");
            let class = heap.class::<Text>()?;
            let text = heap.allocate_with(class, 1000)?;
            assert_eq!(heap.bytes(text)?, [0; 1000]);
            heap.allocate_bytes(class, &[0xff; 5000])?;
            heap.set(heap.global(heap.class::<Kept>()?)?, Kept::first, Some(heap.allocate(heap.class::<Cell>()?)?))?;
            Ok(heap.collect(0)?.live)
        };
        assert_eq!(memory.run(&mut units, program), Ok(1));
    }
}

#[test]
fn memory_may_go_to_another_thread() {
    let mut memory = Memory::new(Limits::of(1 << 20)).expect("memory");
    let thread =
        std::thread::spawn(move || memory.run(&mut [UnitImage::of::<All>()?], |heap| Ok(heap.collect(0)?.live)));
    assert_eq!(thread.join().expect("no panic"), Ok(0));
}
