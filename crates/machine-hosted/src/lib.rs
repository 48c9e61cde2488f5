//! The machine inside an ordinary unprivileged process.
