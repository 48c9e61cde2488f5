//! A heap as a program sees it, and references into it.
//!
//! [`Heap`] has two faces. What cannot collect takes `&Heap`, and gives references that borrow from it. What can
//! collect takes `&mut Heap`, so none of them is left by then: what a program still wants after it has to be where
//! the collector looks, in a [`crate::Frame`], a [`Root`], a global block, or an object that they lead to.

use crate::error::Error;
use crate::field::{Field, FieldType, Seal};
use crate::frame::{Frame, Fresh, Pushed};
use crate::root::Root;
use crate::unit::{Global, Locals, Object, Structure, Tailed};
use ironwall::{Block, EntryId, Handle, Origin, Refusal, Report, Runtime};
use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// What heap, frames and roots share.
#[derive(Debug)]
pub(crate) struct Shared<'id> {
    pub(crate) runtime: RefCell<Runtime<'id>>,
    /// Handles that were dropped while the runtime was looked at.
    pub(crate) dropped: RefCell<Vec<Handle>>,
    pub(crate) zeal: bool,
}

/// A heap. There is one value of it for each `'id`, and `'id` stands for no other heap.
#[derive(Debug)]
pub struct Heap<'id> {
    pub(crate) shared: &'id Shared<'id>,
}

/// The marker of objects whose structure is not known; [`Class::cast`] finds it out.
#[derive(Clone, Copy, Debug)]
pub enum Any {}

/// A reference to an object, or to a global block, of structure `T`. It can be used until the next call that may
/// collect, and with its own heap alone.
pub struct Gc<'g, 'id, T> {
    pub(crate) block: Block,
    heap: PhantomData<&'g Heap<'id>>,
    structure: PhantomData<fn() -> T>,
}

/// A structure in a heap: what objects and frames are made of.
pub struct Class<'id, T> {
    pub(crate) entry: EntryId,
    heap: PhantomData<fn(&'id ()) -> &'id ()>,
    structure: PhantomData<fn() -> T>,
}

impl<'id> Heap<'id> {
    /// A structure of an attached unit.
    ///
    /// # Errors
    /// [`Refusal::UnitNotAttached`].
    pub fn class<T: Structure>(&self) -> Result<Class<'id, T>, Error> {
        let entry = self.shared.runtime.borrow().entry(<T::Unit as crate::Unit>::id(), T::id());
        Ok(Class { entry: entry.ok_or(Refusal::UnitNotAttached)?, heap: PhantomData, structure: PhantomData })
    }

    /// A new object; its fields are zero, and its tail has no elements.
    ///
    /// # Errors
    /// [`Refusal::OutOfMemory`], [`Refusal::UnitNotAttached`] before its unit's body, [`Refusal::Sealed`].
    pub fn allocate<T: Object>(&self, class: Class<'id, T>) -> Result<Gc<'_, 'id, T>, Error> {
        Ok(Gc::new(self.shared.runtime.borrow_mut().allocate(class.entry)?))
    }

    /// A new object with so many elements in its tail, all zero.
    ///
    /// # Errors
    /// As [`Self::allocate`], and [`Refusal::BadExtent`] for more than 2 GiB.
    pub fn allocate_with<T: Tailed>(&self, class: Class<'id, T>, count: u64) -> Result<Gc<'_, 'id, T>, Error> {
        let len = count.checked_mul(T::Element::SIZE.into()).and_then(|len| len.checked_add(T::FIXED.into()));
        let extent = len.ok_or(Refusal::BadExtent)?;
        Ok(Gc::new(self.shared.runtime.borrow_mut().allocate_extent(class.entry, extent)?))
    }

    /// What a field holds.
    ///
    /// # Errors
    /// [`Refusal::NotABlock`] if the object is damaged.
    pub fn get<T: Structure, V: FieldType>(
        &self,
        object: Gc<'_, 'id, T>,
        field: Field<T, V>,
    ) -> Result<V::Held<'_, 'id>, Error> {
        self.load::<V>(object.block, field.offset.into())
    }

    /// Makes a field hold something.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn set<T: Structure, V: FieldType>(
        &self,
        object: Gc<'_, 'id, T>,
        field: Field<T, V>,
        held: V::Held<'_, 'id>,
    ) -> Result<(), Error> {
        self.store::<V>(object.block, field.offset.into(), held)
    }

    /// How many elements an object's tail has.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn count<T: Tailed>(&self, object: Gc<'_, 'id, T>) -> Result<u64, Error> {
        let (_, extent) = self.shared.runtime.borrow().describe(object.block)?;
        Ok(extent.saturating_sub(T::FIXED.into()) / u64::from(T::Element::SIZE))
    }

    /// An element of an object's tail.
    ///
    /// # Errors
    /// [`Error::NoSuchElement`], and as [`Self::get`].
    pub fn element<T: Tailed>(
        &self,
        object: Gc<'_, 'id, T>,
        index: u64,
    ) -> Result<<T::Element as FieldType>::Held<'_, 'id>, Error> {
        self.load::<T::Element>(object.block, self.element_at(object, index)?)
    }

    /// Makes an element of an object's tail hold something.
    ///
    /// # Errors
    /// As [`Self::element`].
    pub fn set_element<T: Tailed>(
        &self,
        object: Gc<'_, 'id, T>,
        index: u64,
        held: <T::Element as FieldType>::Held<'_, 'id>,
    ) -> Result<(), Error> {
        self.store::<T::Element>(object.block, self.element_at(object, index)?, held)
    }

    /// The bytes of an object's tail.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn bytes<T: Tailed<Element = u8>>(&self, object: Gc<'_, 'id, T>) -> Result<Vec<u8>, Error> {
        let count = self.count(object)?;
        let runtime = self.shared.runtime.borrow();
        let mut bytes = Vec::with_capacity(count as usize);
        for at in (0..count).step_by(8) {
            bytes.extend(runtime.load(object.block, u64::from(T::FIXED) + at)?.to_le_bytes());
        }
        bytes.truncate(count as usize);
        Ok(bytes)
    }

    /// A new object whose tail has these bytes.
    ///
    /// # Errors
    /// As [`Self::allocate_with`].
    pub fn allocate_bytes<T: Tailed<Element = u8>>(
        &self,
        class: Class<'id, T>,
        bytes: &[u8],
    ) -> Result<Gc<'_, 'id, T>, Error> {
        let object = self.allocate_with(class, bytes.len() as u64)?;
        let mut runtime = self.shared.runtime.borrow_mut();
        for (i, part) in bytes.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            runtime.store(object.block, u64::from(T::FIXED) + i as u64 * 8, u64::from_le_bytes(word))?;
        }
        Ok(object)
    }

    /// The global block of an attached unit.
    ///
    /// # Errors
    /// [`Refusal::UnitNotAttached`].
    pub fn global<T: Global>(&self, class: Class<'id, T>) -> Result<Gc<'_, 'id, T>, Error> {
        let runtime = self.shared.runtime.borrow();
        let mut blocks = runtime.globals();
        let found = blocks.find(|block| runtime.describe(*block).is_ok_and(|(entry, _)| entry == class.entry));
        Ok(Gc::new(found.ok_or(Refusal::UnitNotAttached)?))
    }

    /// A root for an object, for what is in no frame.
    ///
    /// # Errors
    /// [`Refusal::HandlesFull`]; [`Refusal::NotABlock`] for a global block, which is a root itself.
    pub fn root<T>(&self, object: Gc<'_, 'id, T>) -> Result<Root<'id, T>, Error> {
        self.release_dropped();
        let handle = self.shared.runtime.borrow_mut().handle(object.block)?;
        Ok(Root::new(self.shared, handle))
    }

    /// Pushes a frame with empty fields. While it is there, it stands for the heap; it is popped when it is dropped,
    /// by a panic too.
    ///
    /// # Errors
    /// [`Refusal::FramesFull`], [`Refusal::Sealed`].
    pub fn push<F: Locals>(&mut self, class: Class<'id, F>) -> Result<Frame<'_, 'id, F>, Error> {
        let pushed = Pushed::new(self.shared, class.entry)?;
        Ok(Frame::new(self, pushed))
    }

    /// Pushes a frame and fills it with what the references of now lead to: the arguments of a function that may
    /// collect.
    ///
    /// # Errors
    /// As [`Self::push`], and what `fill` gives; the frame is popped then.
    pub fn push_with<F: Locals>(
        &mut self,
        class: Class<'id, F>,
        fill: impl for<'g> FnOnce(&'g Self, Fresh<'g, 'id, F>) -> Result<(), Error>,
    ) -> Result<Frame<'_, 'id, F>, Error> {
        let pushed = Pushed::new(self.shared, class.entry)?;
        fill(self, Fresh::new(self, pushed.block))?;
        Ok(Frame::new(self, pushed))
    }

    /// Collects, now and completely.
    ///
    /// # Errors
    /// [`Error::Fault`] if damage was found: nothing is reclaimed, and the heap is sealed.
    pub fn collect(&mut self, reason: u64) -> Result<Report, Error> {
        self.collect_for(Origin::Program, reason)
    }

    /// Collects for whoever asks.
    ///
    /// # Errors
    /// As [`Self::collect`].
    pub fn collect_for(&mut self, origin: Origin, reason: u64) -> Result<Report, Error> {
        self.release_dropped();
        Ok(self.shared.runtime.borrow_mut().collect(origin, reason)?)
    }

    /// Says that a collection could happen here. It does if the memory was made with
    /// [`crate::Limits::zeal`], which finds what depends on nothing being collected.
    ///
    /// # Errors
    /// As [`Self::collect`].
    pub fn may_collect(&mut self) -> Result<(), Error> {
        if self.shared.zeal {
            self.collect(0)?;
        }
        Ok(())
    }

    /// Looks at the runtime: its reports, its census, what explanations need.
    pub fn inspect<R>(&mut self, look: impl FnOnce(&Runtime<'id>) -> R) -> R {
        look(&self.shared.runtime.borrow())
    }

    pub(crate) fn load<V: FieldType>(&self, block: Block, at: u64) -> Result<V::Held<'_, 'id>, Error> {
        let word = self.shared.runtime.borrow().load(block, at & !7)?;
        Ok(V::decode(word >> (at % 8 * 8), Seal::SEAL))
    }

    pub(crate) fn store<V: FieldType>(&self, block: Block, at: u64, held: V::Held<'_, 'id>) -> Result<(), Error> {
        let (shift, mut runtime) = (at % 8 * 8, self.shared.runtime.borrow_mut());
        let mut word = V::encode(held, Seal::SEAL);
        if V::SIZE < 8 {
            let mask = ((1 << (V::SIZE * 8)) - 1) << shift;
            word = runtime.load(block, at & !7)? & !mask | word << shift;
        }
        Ok(runtime.store(block, at & !7, word)?)
    }

    fn element_at<T: Tailed>(&self, object: Gc<'_, 'id, T>, index: u64) -> Result<u64, Error> {
        let count = self.count(object)?;
        if index >= count {
            return Err(Error::NoSuchElement { index, count });
        }
        Ok(u64::from(T::FIXED) + index * u64::from(T::Element::SIZE))
    }

    fn release_dropped(&self) {
        let mut runtime = self.shared.runtime.borrow_mut();
        for handle in self.shared.dropped.borrow_mut().drain(..) {
            // It was held until now, so there is nothing to refuse.
            let _ = runtime.release(handle);
        }
    }
}

impl<'id, T: Structure> Class<'id, T> {
    /// The object as one of this structure; `None` if it is of another.
    ///
    /// # Errors
    /// As [`Heap::get`].
    pub fn cast<'g>(self, heap: &'g Heap<'id>, object: Gc<'_, 'id, Any>) -> Result<Option<Gc<'g, 'id, T>>, Error> {
        let (entry, _) = heap.shared.runtime.borrow().describe(object.block)?;
        Ok((entry == self.entry).then(|| Gc::new(object.block)))
    }
}

impl<'id, T> Gc<'_, 'id, T> {
    pub(crate) fn new(block: Block) -> Self {
        Self { block, heap: PhantomData, structure: PhantomData }
    }

    pub(crate) fn from_word(word: u64, _: Seal) -> Option<Self> {
        Block::from_word(word).map(Self::new)
    }
}

impl<'g, 'id, T> Gc<'g, 'id, T> {
    /// The same object, without its structure.
    #[must_use]
    pub fn erase(self) -> Gc<'g, 'id, Any> {
        Gc::new(self.block)
    }

    /// The object's address, for explanations and messages.
    #[must_use]
    pub fn address(self) -> u64 {
        self.block.address()
    }
}

impl<T> Clone for Gc<'_, '_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Gc<'_, '_, T> {}

impl<T> PartialEq for Gc<'_, '_, T> {
    /// Whether both are the same object.
    fn eq(&self, other: &Self) -> bool {
        self.block == other.block
    }
}

impl<T> Eq for Gc<'_, '_, T> {}

impl<T> Hash for Gc<'_, '_, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.block.hash(state);
    }
}

impl<T> fmt::Debug for Gc<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gc({:#x})", self.block.address())
    }
}

impl<T> Clone for Class<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Class<'_, T> {}

impl<T> fmt::Debug for Class<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Class({})", self.entry.number())
    }
}
