//! Terminals: line discipline, pseudo-terminals, the console.
