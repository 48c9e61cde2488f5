//! Counted roots that release themselves.

use crate::error::Error;
use crate::heap::{Gc, Heap, Shared};
use ironwall::Handle;
use std::marker::PhantomData;

/// A root for one object of structure `T`: the object lives as long as it and its copies do.
#[derive(Debug)]
pub struct Root<'id, T> {
    shared: &'id Shared<'id>,
    handle: Handle,
    structure: PhantomData<fn() -> T>,
}

impl<'id, T> Root<'id, T> {
    pub(crate) fn new(shared: &'id Shared<'id>, handle: Handle) -> Self {
        Self { shared, handle, structure: PhantomData }
    }

    /// The object.
    ///
    /// # Errors
    /// None as long as the heap is whole.
    pub fn get<'g>(&self, heap: &'g Heap<'id>) -> Result<Gc<'g, 'id, T>, Error> {
        Ok(Gc::new(heap.shared.runtime.borrow().get(self.handle)?))
    }

    /// Another root for the same object, which takes no place of its own.
    ///
    /// # Errors
    /// [`ironwall::Refusal::HandlesFull`] when there are 2³² of them.
    pub fn copy(&self, heap: &Heap<'id>) -> Result<Self, Error> {
        heap.shared.runtime.borrow_mut().retain(self.handle)?;
        Ok(Self::new(self.shared, self.handle))
    }
}

impl<T> Drop for Root<'_, T> {
    fn drop(&mut self) {
        match self.shared.runtime.try_borrow_mut() {
            // What a root holds is not released before, so there is nothing to refuse.
            Ok(mut runtime) => drop(runtime.release(self.handle)),
            // Somebody looks at the runtime; the next collection releases it first.
            Err(_) => self.shared.dropped.borrow_mut().push(self.handle),
        }
    }
}
