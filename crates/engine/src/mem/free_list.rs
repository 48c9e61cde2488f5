//! Which frames are free, and when their memory goes back to the host.
//!
//! A freed frame is kept as it is for a while: it is warm, and clearing it
//! costs less than a new page from the host. Once [`RELEASE_AT`] such frames
//! have gathered, all but the [`KEEP`] latest are given back in as few pieces
//! as possible. Lock order: `releasing`, then `state`.

use machine::Frame;
use machine::sync::Mutex;

/// With this many stale frames (32 MiB), memory goes back to the host.
const RELEASE_AT: usize = 8192;
/// So many of them stay.
const KEEP: usize = 2048;

struct State {
    /// Frames that were used and given back; their contents are stale.
    stale: Vec<u32>,
    /// Frames whose memory the host took back: they read as zero.
    zero: Vec<u32>,
    /// The first frame that was never used; it and all above are zero.
    fresh: u32,
}

/// The free frames of an arena.
pub(crate) struct FreeList {
    state: Mutex<State>,
    /// Held while frames are in neither list, on their way to the host.
    releasing: Mutex<()>,
    frames: u32,
}

impl FreeList {
    /// All of `frames` frames, none of which was used.
    pub(crate) fn new(frames: u32) -> Self {
        Self {
            state: Mutex::new(State { stale: Vec::new(), zero: Vec::new(), fresh: 0 }),
            releasing: Mutex::new(()),
            frames,
        }
    }

    /// A free frame, and whether it reads as zero.
    pub(crate) fn take(&self) -> Option<(Frame, bool)> {
        self.try_take().or_else(|| {
            // The last free frames may be on their way to the host.
            drop(self.releasing.lock());
            self.try_take()
        })
    }

    fn try_take(&self) -> Option<(Frame, bool)> {
        let mut state = self.state.lock();
        if let Some(number) = state.stale.pop() {
            return Some((Frame(number), false));
        }
        if let Some(number) = state.zero.pop() {
            return Some((Frame(number), true));
        }
        let number = state.fresh;
        (number < self.frames).then(|| {
            state.fresh += 1;
            (Frame(number), true)
        })
    }

    /// Puts a frame back. If it is time, `release` is called with runs of
    /// frames, as the first and how many, and answers whether they read as
    /// zero from now on.
    pub(crate) fn give(&self, frame: Frame, release: impl FnMut(Frame, usize) -> bool) {
        let mut state = self.state.lock();
        state.stale.push(frame.0);
        let gathered = state.stale.len();
        drop(state);
        // Every so often, also where the host does not take memory back.
        if gathered >= RELEASE_AT && gathered.is_multiple_of(KEEP) {
            self.release(release);
        }
    }

    #[cold]
    fn release(&self, mut release: impl FnMut(Frame, usize) -> bool) {
        // One at a time; whoever comes meanwhile just goes on.
        let Some(_releasing) = self.releasing.try_lock() else { return };
        let mut batch: Vec<u32> = {
            let mut state = self.state.lock();
            // The oldest are at the front.
            let count = state.stale.len().saturating_sub(KEEP);
            state.stale.drain(..count).collect()
        };
        batch.sort_unstable();
        let (mut zero, mut stale) = (Vec::with_capacity(batch.len()), Vec::new());
        for run in batch.chunk_by(|a, b| b - a == 1) {
            let taken = run.first().is_some_and(|&first| release(Frame(first), run.len()));
            if taken { zero.extend_from_slice(run) } else { stale.extend_from_slice(run) }
        }
        let mut state = self.state.lock();
        state.zero.append(&mut zero);
        state.stale.append(&mut stale);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_frame_is_given_out_once() {
        let list = FreeList::new(100);
        let taken: HashSet<_> = std::iter::from_fn(|| list.take()).map(|(frame, zero)| (frame.0, zero)).collect();
        assert_eq!(taken.len(), 100);
        assert!(taken.iter().all(|(_, zero)| *zero), "fresh memory is zero");
        list.give(Frame(7), |_, _| unreachable!("far too few"));
        assert_eq!(list.take(), Some((Frame(7), false)));
        assert_eq!(list.take(), None);
    }

    #[test]
    fn many_stale_frames_go_back_in_runs_and_none_is_lost() {
        let count = 3 * u32::try_from(RELEASE_AT).unwrap();
        let list = FreeList::new(count);
        while list.take().is_some() {}
        let mut runs = Vec::new();
        for number in 0..count {
            list.give(Frame(number), |first, len| {
                runs.push((first.0, len));
                true
            });
        }
        let released: usize = runs.iter().map(|run| run.1).sum();
        assert!(released > 2 * RELEASE_AT, "most went back: {released}");
        assert!(runs.len() < 16, "in few pieces: {}", runs.len());
        let taken: Vec<_> = std::iter::from_fn(|| list.take()).collect();
        assert_eq!(taken.len(), count as usize);
        assert_eq!(taken.iter().filter(|(_, zero)| *zero).count(), released);
        assert_eq!(taken.iter().map(|(frame, _)| frame.0).collect::<HashSet<_>>().len(), count as usize);
    }

    #[test]
    fn frames_that_the_host_does_not_take_stay_stale() {
        let count = 2 * u32::try_from(RELEASE_AT).unwrap();
        let list = FreeList::new(count);
        while list.take().is_some() {}
        let mut asked = 0;
        for number in 0..count {
            list.give(Frame(number), |_, _| {
                asked += 1;
                false
            });
        }
        assert!((1..=8).contains(&asked), "asked now and then: {asked}");
        let taken: Vec<_> = std::iter::from_fn(|| list.take()).collect();
        assert_eq!(taken.len(), count as usize);
        assert!(taken.iter().all(|(_, zero)| !zero));
    }
}
