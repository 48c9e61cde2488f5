//! What Rust's standard library asks of a kernel: threads, channels, processes,
//! files, time, environment. Speaks TAP, as the tests in C do.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, RwLock, mpsc};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, io, thread};

type Check = (&'static str, fn() -> io::Result<bool>);

const CHECKS: &[Check] = &[
    ("scoped threads share borrowed data", scoped_threads),
    ("a channel carries messages in order", channels),
    ("a barrier and a condition variable meet", barriers),
    ("a panic unwinds and is caught", panics),
    ("a hundred threads sleep at once", sleepers),
    ("a child's output and status arrive", children),
    ("a child that is killed says so", killed_child),
    ("files are written, sought and read", files),
    ("directories are walked and removed", directories),
    ("maps are seeded and full", maps),
    ("time passes", time),
    ("floating point prints and parses exactly", floats),
];

fn scoped_threads() -> io::Result<bool> {
    let numbers: Vec<u64> = (1..=10_000).collect();
    let total: u64 = thread::scope(|scope| {
        let parts: Vec<_> = numbers.chunks(1000).map(|part| scope.spawn(move || part.iter().sum::<u64>())).collect();
        parts.into_iter().map(|part| part.join().unwrap()).sum()
    });
    Ok(total == 50_005_000)
}

fn channels() -> io::Result<bool> {
    let (sender, receiver) = mpsc::sync_channel(4);
    let producer = thread::spawn(move || (0..1000).for_each(|n| sender.send(n).unwrap()));
    let right = receiver.iter().eq(0..1000);
    producer.join().unwrap();
    Ok(right)
}

fn barriers() -> io::Result<bool> {
    let barrier = Arc::new(Barrier::new(4));
    let shared = Arc::new((Mutex::new(0), Condvar::new(), RwLock::new(7)));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (barrier, shared) = (barrier.clone(), shared.clone());
            thread::spawn(move || {
                barrier.wait();
                *shared.0.lock().unwrap() += *shared.2.read().unwrap();
                shared.1.notify_all();
            })
        })
        .collect();
    let guard = shared.1.wait_while(shared.0.lock().unwrap(), |sum| *sum < 28).unwrap();
    let sum = *guard;
    drop(guard);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    Ok(sum == 28)
}

fn panics() -> io::Result<bool> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let caught = std::panic::catch_unwind(|| panic!("on purpose")).is_err();
    let joined = thread::spawn(|| panic!("in a thread")).join().is_err();
    std::panic::set_hook(hook);
    Ok(caught && joined)
}

fn sleepers() -> io::Result<bool> {
    let count = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let threads: Vec<_> = (0..100)
        .map(|_| {
            let count = count.clone();
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(100));
                count.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    Ok(count.load(Ordering::Relaxed) == 100 && start.elapsed() < Duration::from_secs(8))
}

fn children() -> io::Result<bool> {
    let mut child = Command::new(env::current_exe()?)
        .arg("child")
        .env("WORD", "up")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.take().unwrap().write_all(b"hello")?;
    let output = child.wait_with_output()?;
    Ok(output.stdout == b"HELLO up" && output.status.code() == Some(9))
}

fn killed_child() -> io::Result<bool> {
    use std::os::unix::process::ExitStatusExt;
    let mut child = Command::new(env::current_exe()?).arg("sleep").stdin(Stdio::null()).spawn()?;
    child.kill()?;
    Ok(child.wait()?.signal() == Some(9))
}

fn files() -> io::Result<bool> {
    let mut file = fs::File::options().read(true).write(true).create(true).truncate(true).open("data")?;
    for number in 0..10_000_u32 {
        file.write_all(&number.to_le_bytes())?;
    }
    file.seek(SeekFrom::Start(4 * 1234))?;
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes)?;
    let right = u32::from_le_bytes(bytes) == 1234 && file.metadata()?.len() == 40_000;
    fs::copy("data", "copy")?;
    let same = fs::read("copy")? == fs::read("data")?;
    let missing = fs::File::open("absent").is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    Ok(right && same && missing)
}

fn directories() -> io::Result<bool> {
    fs::create_dir_all("a/b/c")?;
    for number in 0..50 {
        fs::write(format!("a/b/{number}"), number.to_string())?;
    }
    let count = fs::read_dir("a/b")?.count();
    let path = fs::canonicalize("a/b/../b/c")?;
    fs::remove_dir_all("a")?;
    Ok(count == 51 && path.ends_with("a/b/c") && !fs::exists("a")?)
}

fn maps() -> io::Result<bool> {
    let map: HashMap<u64, String> = (0..5000).map(|n| (n * 7919, n.to_string())).collect();
    Ok((0..5000).all(|n| map.get(&(n * 7919)) == Some(&n.to_string())))
}

fn time() -> io::Result<bool> {
    let (start, wall) = (Instant::now(), SystemTime::now());
    thread::sleep(Duration::from_millis(20));
    let passed = start.elapsed();
    Ok(passed >= Duration::from_millis(20) && wall.elapsed().is_ok_and(|wall| wall >= Duration::from_millis(19)))
}

fn floats() -> io::Result<bool> {
    let values = [0.1, 1e300, 5e-324, 123_456.789, -2.5e-10, f64::MAX, std::f64::consts::PI];
    let exact = values.iter().all(|value| format!("{value:?}").parse() == Ok(*value));
    Ok(exact && format!("{:.3} {:e}", 2.0_f64.sqrt(), 12_345.678) == "1.414 1.2345678e4")
}

/// The program started by [`children`].
fn child() -> ExitCode {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    print!("{} {}", text.to_uppercase(), env::var("WORD").unwrap_or_default());
    ExitCode::from(9)
}

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("child") => return child(),
        Some(_) => loop {
            thread::sleep(Duration::from_secs(60));
        },
        None => {}
    }
    let directory = env::temp_dir().join(format!("guest-rust-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    env::set_current_dir(&directory).unwrap();
    println!("1..{}", CHECKS.len());
    let mut status = ExitCode::SUCCESS;
    for (index, (name, check)) in CHECKS.iter().enumerate() {
        let result = check();
        if let Err(error) = &result {
            println!("# {error}");
        }
        let passed = result.unwrap_or(false);
        println!("{}ok {} - {name}", if passed { "" } else { "not " }, index + 1);
        if !passed {
            status = ExitCode::FAILURE;
        }
    }
    fs::remove_dir_all(&directory).unwrap();
    status
}
