//! `vambrace unit keygen`: a key to sign archives with.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use ironwall_archive::signature::PrivateKey;
use rustix::rand::{GetRandomFlags, getrandom};

use super::exit::{Failure, Status};
use super::files;

/// `vambrace unit keygen`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Keygen {
    /// The file for the private key, which only you can read; the public key gets its name and `.pub`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Makes both files, neither of which may be there, and prints the public key.
pub(crate) fn run(args: &Keygen) -> Result<Status, Failure> {
    let mut seed = [0; 32];
    let len = getrandom(&mut seed, GetRandomFlags::empty()).map_err(io::Error::from);
    // So few bytes are given whole or not at all.
    if !matches!(len, Ok(32)) {
        return Err(Failure::new(Status::Io, "the system gives no random bytes"));
    }
    let key = PrivateKey::from_seed(&seed);
    let mut public = args.file.clone().into_os_string();
    public.push(".pub");
    let public = PathBuf::from(public);
    files::create(&args.file, key.to_file().as_bytes(), 0o600)?;
    if let Err(failure) = files::create(&public, key.public().to_file().as_bytes(), 0o644) {
        // The private file is of this call, so no other key is lost.
        let _ = fs::remove_file(&args.file);
        return Err(failure);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{}", key.public())?;
    out.flush()?;
    Ok(Status::Done)
}
