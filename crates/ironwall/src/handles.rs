//! Counted handles: roots that a host holds while the program does not.

use crate::error::Refusal;

/// A root that the host holds. It does not count itself: pair [`crate::Runtime::retain`] with
/// [`crate::Runtime::release`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Handle {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// One place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The object, or the next free place plus one.
    word: u64,
    count: u32,
    generation: u32,
}

/// All places.
#[derive(Debug)]
pub(crate) struct Handles<'m> {
    places: &'m mut [Place],
    used: usize,
    /// The first free place below `used`, plus one.
    free: u64,
}

impl Place {
    pub(crate) const EMPTY: Self = Self { word: 0, count: 0, generation: 0 };

    fn is(&self, handle: Handle) -> bool {
        self.count != 0 && self.generation == handle.generation
    }
}

impl<'m> Handles<'m> {
    pub(crate) fn new(places: &'m mut [Place]) -> Self {
        Self { places, used: 0, free: 0 }
    }

    /// A handle with count one.
    pub(crate) fn insert(&mut self, word: u64) -> Result<Handle, Refusal> {
        let index = match self.free.checked_sub(1) {
            Some(index) => index as usize,
            None if self.used < self.places.len() => {
                self.used += 1;
                self.used - 1
            }
            None => return Err(Refusal::HandlesFull),
        };
        let place = &mut self.places[index];
        if self.free != 0 {
            self.free = place.word;
        }
        *place = Place { word, count: 1, generation: place.generation };
        Ok(Handle { index: index as u32, generation: place.generation })
    }

    /// The word of a handle.
    pub(crate) fn get(&self, handle: Handle) -> Result<u64, Refusal> {
        let place = self.places.get(handle.index as usize).filter(|place| place.is(handle));
        place.map(|place| place.word).ok_or(Refusal::StaleHandle)
    }

    /// Adds one to the count, or takes one off; at zero the handle is given up.
    pub(crate) fn count(&mut self, handle: Handle, up: bool) -> Result<(), Refusal> {
        let place = self.places.get_mut(handle.index as usize).filter(|place| place.is(handle));
        let place = place.ok_or(Refusal::StaleHandle)?;
        if up {
            place.count = place.count.checked_add(1).ok_or(Refusal::HandlesFull)?;
            return Ok(());
        }
        place.count -= 1;
        if place.count == 0 {
            *place = Place { word: self.free, count: 0, generation: place.generation.wrapping_add(1) };
            self.free = u64::from(handle.index) + 1;
        }
        Ok(())
    }

    /// The held words with their numbers.
    pub(crate) fn held(&self) -> impl Iterator<Item = (u32, u64)> {
        let places = self.places[..self.used].iter().zip(0..);
        places.filter(|(place, _)| place.count != 0).map(|(place, i)| (i, place.word))
    }
}
