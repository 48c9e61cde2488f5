//! Shadow frames that pop themselves.

use crate::error::Error;
use crate::field::{Field, FieldType};
use crate::heap::{Heap, Shared};
use crate::unit::Locals;
use ironwall::{Block, EntryId};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A pushed frame with locals of structure `F`. It stands for the heap, which nothing else can use meanwhile, so frames
/// are popped in the order in which they were pushed, turned round.
#[derive(Debug)]
pub struct Frame<'h, 'id, F> {
    heap: &'h mut Heap<'id>,
    pushed: Pushed<'id>,
    locals: PhantomData<fn() -> F>,
}

/// A frame that is being filled, before the function that it belongs to.
#[derive(Debug)]
pub struct Fresh<'g, 'id, F> {
    heap: &'g Heap<'id>,
    block: Block,
    locals: PhantomData<fn() -> F>,
}

/// A frame, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pushed<'id> {
    shared: &'id Shared<'id>,
    pub(crate) block: Block,
}

impl<'id> Pushed<'id> {
    pub(crate) fn new(shared: &'id Shared<'id>, entry: EntryId) -> Result<Self, Error> {
        let block = shared.runtime.borrow_mut().push_frame(entry)?;
        Ok(Self { shared, block })
    }
}

impl Drop for Pushed<'_> {
    fn drop(&mut self) {
        let mut runtime = self.shared.runtime.borrow_mut();
        // Frames above it are there only if their guards were forgotten.
        loop {
            let newest = runtime.frames().next();
            let Some(newest) = newest else { return };
            if runtime.pop_frame(newest).is_err() || newest == self.block {
                return;
            }
        }
    }
}

impl<'h, 'id, F: Locals> Frame<'h, 'id, F> {
    pub(crate) fn new(heap: &'h mut Heap<'id>, pushed: Pushed<'id>) -> Self {
        Self { heap, pushed, locals: PhantomData }
    }

    /// What a local holds.
    ///
    /// # Errors
    /// As [`Heap::get`].
    pub fn local<V: FieldType>(&self, field: Field<F, V>) -> Result<V::Held<'_, 'id>, Error> {
        self.heap.load::<V>(self.pushed.block, field.offset.into())
    }

    /// Makes a local hold something.
    ///
    /// # Errors
    /// As [`Heap::get`].
    pub fn set_local<V: FieldType>(&self, field: Field<F, V>, held: V::Held<'_, 'id>) -> Result<(), Error> {
        self.heap.store::<V>(self.pushed.block, field.offset.into(), held)
    }

    /// Pushes the frame of a function that is called, and fills it from this one.
    ///
    /// # Errors
    /// As [`Heap::push_with`].
    pub fn call<G: Locals>(
        &mut self,
        class: crate::Class<'id, G>,
        fill: impl for<'g> FnOnce(&'g Self, Fresh<'g, 'id, G>) -> Result<(), Error>,
    ) -> Result<Frame<'_, 'id, G>, Error> {
        let pushed = Pushed::new(self.heap.shared, class.entry)?;
        fill(self, Fresh::new(self.heap, pushed.block))?;
        Ok(Frame::new(self.heap, pushed))
    }
}

impl<'id, F> Deref for Frame<'_, 'id, F> {
    type Target = Heap<'id>;

    fn deref(&self) -> &Heap<'id> {
        self.heap
    }
}

impl<'id, F> DerefMut for Frame<'_, 'id, F> {
    fn deref_mut(&mut self) -> &mut Heap<'id> {
        self.heap
    }
}

impl<'g, 'id, F> Fresh<'g, 'id, F> {
    pub(crate) fn new(heap: &'g Heap<'id>, block: Block) -> Self {
        Self { heap, block, locals: PhantomData }
    }

    /// Makes a local of the new frame hold something.
    ///
    /// # Errors
    /// As [`Heap::get`].
    pub fn set_local<V: FieldType>(&self, field: Field<F, V>, held: V::Held<'_, 'id>) -> Result<(), Error> {
        self.heap.store::<V>(self.block, field.offset.into(), held)
    }
}
