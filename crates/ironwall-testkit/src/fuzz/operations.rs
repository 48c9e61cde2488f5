//! What a program may do, on the collector and on the model.

use super::graph::Graph;
use crate::source::Source;
use crate::world::with_world;

/// The input is a way to wipe and then operations.
///
/// # Panics
/// The collector and the model disagree.
pub fn operations(input: &[u8]) {
    let mut source = Source::new(input);
    let options = source.byte();
    with_world(options, |world| {
        let mut graph = Graph::new(world);
        while !source.is_empty() {
            graph.step(&mut source);
        }
        graph.collect();
        let report = graph.collect();
        assert_eq!(report.dead, 0, "one collection is complete");
    });
}
