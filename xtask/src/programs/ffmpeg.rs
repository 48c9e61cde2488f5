//! ffmpeg's coders, filters and scalers: Debian's ARM64 package in a guest,
//! natively for x86-64, and in QEMU.
//!
//! One process makes many outputs, since starting it is what takes long. The
//! files that are decoded are made natively, so that coders and decoders are
//! judged apart.

use super::report::{Tally, compare};
use super::runner::{Runner, Tree, finish, printed};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// A picture and a sound that no file is needed for.
const PICTURE: &str = "testsrc2=size=352x288:rate=25";
const SOUND: &str = "anoisesrc=seed=42:amplitude=0.4:sample_rate=44100:duration=0.3,aformat=s16:channel_layouts=mono[n];\
                     sine=frequency=440:sample_rate=44100:duration=0.3,aformat=s16:channel_layouts=mono[s];\
                     [n][s]amerge";
const FRAMES: &str = "6";

/// What a result must be equal to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    /// The native result: the same on every processor and in plain C.
    Native,
    /// The same program's in QEMU: floating point, or vector code that rounds
    /// otherwise than C, by ffmpeg's own design.
    Qemu,
}
use Right::{Native, Qemu};

/// A coder: its name and options, the container of its file, and what the coded
/// and the decoded data must be equal to.
type Coder = (&'static str, &'static str, Right, Right);

/// By itself, ffmpeg takes a cosine transform that rounds as is fastest on each
/// processor; `-dct fastint -idct simple` chooses one that is the same on all.
const VIDEO: &[Coder] = &[
    ("mpeg1video -dct fastint -idct simple", "nut", Native, Qemu),
    ("mpeg2video -dct fastint -idct simple -intra_vlc 1", "nut", Native, Qemu),
    ("mpeg4 -dct fastint -idct simple -trellis 1", "nut", Native, Qemu),
    ("mjpeg -dct fastint -idct simple -strict -1", "nut", Native, Qemu),
    ("mpeg1video", "nut", Qemu, Qemu),
    ("mpeg2video", "nut", Qemu, Qemu),
    ("mpeg4 -bf 2 -flags +qpel+mv4", "nut", Qemu, Qemu),
    ("msmpeg4v2", "nut", Qemu, Qemu),
    ("wmv2", "nut", Qemu, Native),
    ("h263", "nut", Qemu, Qemu),
    ("flv", "nut", Qemu, Qemu),
    ("svq1", "nut", Native, Native),
    ("mjpeg -strict -1", "nut", Qemu, Qemu),
    ("ljpeg -strict -1", "nut", Native, Native),
    ("ffv1 -level 3", "nut", Native, Native),
    ("huffyuv", "nut", Native, Native),
    ("ffvhuff", "nut", Native, Native),
    ("utvideo", "nut", Native, Native),
    ("magicyuv", "nut", Native, Native),
    ("png -pix_fmt rgb24", "nut", Native, Native),
    ("qtrle -pix_fmt rgb24", "mov", Native, Native),
    ("zmbv -pix_fmt bgr0", "nut", Native, Native),
    ("flashsv -pix_fmt bgr24", "nut", Native, Native),
    ("cinepak -pix_fmt rgb24", "nut", Native, Native),
    ("prores_ks", "mov", Native, Native),
    ("jpeg2000", "nut", Native, Native),
    ("snow -strict -2", "nut", Native, Native),
    ("libx264 -preset medium", "nut", Qemu, Native),
    ("libvpx -b:v 400k", "nut", Native, Native),
    ("libvpx-vp9 -b:v 400k -cpu-used 4", "nut", Native, Native),
];

const AUDIO: &[Coder] = &[
    ("pcm_s16le", "nut", Native, Native),
    ("flac", "nut", Qemu, Native),
    ("alac", "mov", Qemu, Native),
    ("wavpack", "nut", Native, Native),
    ("tta", "tta", Native, Native),
    ("adpcm_ima_wav", "nut", Native, Native),
    ("adpcm_ms", "nut", Native, Native),
    ("adpcm_swf", "nut", Native, Native),
    ("mp2fixed", "nut", Native, Native),
    ("ac3_fixed", "nut", Native, Qemu),
    ("ac3", "nut", Qemu, Qemu),
    ("eac3", "nut", Qemu, Qemu),
    ("aac", "nut", Qemu, Qemu),
    ("vorbis -strict -2", "nut", Qemu, Qemu),
    ("libmp3lame", "nut", Qemu, Qemu),
    ("libopus -ar 48000", "nut", Qemu, Qemu),
];

/// A filter graph and what its frames must be equal to.
type Filter = (&'static str, Right);

const VIDEO_FILTERS: &[Filter] = &[
    ("scale=200:150:flags=bilinear+accurate_rnd+bitexact", Native),
    ("scale=640:480:flags=bicubic+accurate_rnd+bitexact", Native),
    ("scale=177:99:flags=lanczos+accurate_rnd+bitexact,format=rgb24", Native),
    ("scale=500:300:flags=area+bitexact,format=yuv444p", Qemu),
    ("scale=flags=bicubic,format=bgra", Qemu),
    ("format=rgb565,scale=100:80", Qemu),
    ("format=yuv420p10le,scale=300:200:flags=bicubic+accurate_rnd+bitexact", Native),
    ("format=nv12", Native),
    ("format=gray", Native),
    ("hflip,vflip,transpose", Native),
    ("yadif", Native),
    ("bwdif", Native),
    ("boxblur=3:2", Native),
    ("unsharp", Native),
    ("median", Native),
    ("edgedetect", Native),
    ("convolution", Native),
    ("hqdn3d", Native),
    ("nlmeans=s=3", Qemu),
    ("gblur=sigma=2", Qemu),
    ("eq=contrast=1.3:saturation=1.2", Native),
    ("hue=h=40", Native),
    ("split[a][b];[b]negate[c];[a][c]blend=all_mode=average", Native),
    ("split[a][b];[b]scale=100:100:flags=neighbor[c];[a][c]overlay=30:40", Native),
    ("framerate=50", Native),
    ("minterpolate=fps=40:mi_mode=blend", Native),
];

const AUDIO_FILTERS: &[Filter] = &[
    ("aresample=48000:resampler=swr,aformat=s16", Qemu),
    ("aresample=22050,aformat=flt", Qemu),
    ("aformat=s32:channel_layouts=5.1", Native),
    ("aformat=dblp", Native),
    ("volume=0.3:precision=fixed", Native),
    ("equalizer=f=1000:w=200:g=6,aformat=s16", Qemu),
    ("atempo=1.3", Qemu),
    ("afftdn", Qemu),
    ("acompressor", Qemu),
    ("areverse", Native),
];

/// A result: its file's name, and what it must be equal to.
type Wanted = (String, Right);

/// The words of one process that makes many outputs.
struct Run {
    words: Vec<String>,
    results: Vec<Wanted>,
}

/// A name for a coder or filter that a file can have.
fn file_name(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    plain.chars().take(60).collect()
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split_whitespace().map(str::to_owned)
}

/// What limits and pins every output.
const OUTPUT: &str = "-threads 1 -flags +bitexact -fflags +bitexact -sws_flags +accurate_rnd+bitexact";

/// The input of a kind of media, and what chooses its coder and its length.
fn source(is_video: bool) -> (&'static str, &'static str, String) {
    if is_video { (PICTURE, "-c:v", format!("-frames:v {FRAMES}")) } else { (SOUND, "-c:a", String::new()) }
}

/// Codes a picture or a sound with each coder; into files in `media`, or into sums.
fn coding(coders: &[Coder], is_video: bool, media: Option<&str>, out: &str) -> Run {
    let (input, choice, length) = source(is_video);
    let mut run = Run { words: words("-f lavfi -i").chain([input.to_owned()]).collect(), results: Vec::new() };
    for (coder, container, coded, _) in coders {
        run.words.extend(words(&format!("-map 0 {choice} {coder} {length} {OUTPUT}")));
        let name = file_name(coder);
        match media {
            Some(media) => run.words.push(format!("{media}/{name}.{container}")),
            None => {
                run.words.extend(words(&format!("-f md5 {out}/{name}.coded")));
                run.results.push((format!("{name}.coded"), *coded));
            }
        }
    }
    run
}

/// Decodes each file.
fn decoding(coders: &[Coder], is_video: bool, out: &str) -> Run {
    let mut run = Run { words: Vec::new(), results: Vec::new() };
    for (coder, container, _, _) in coders {
        run.words.extend(words(&format!("-threads 1 -flags +bitexact -i media/{}.{container}", file_name(coder))));
    }
    let raw = if is_video { "rawvideo" } else { "pcm_s32le" };
    for (number, (coder, _, _, decoded)) in coders.iter().enumerate() {
        let name = format!("{}.decoded", file_name(coder));
        let kind = if is_video { "-c:v" } else { "-c:a" };
        run.words.extend(words(&format!("-map {number} {kind} {raw} {OUTPUT} -f framemd5 {out}/{name}")));
        run.results.push((name, *decoded));
    }
    run
}

/// Filters a picture or a sound in each way.
fn filtering(filters: &[Filter], is_video: bool, out: &str) -> Run {
    let (input, _, length) = source(is_video);
    let mut run = Run { words: words("-f lavfi -i").chain([input.to_owned()]).collect(), results: Vec::new() };
    for (filter, right) in filters {
        let name = format!("{}.filtered", file_name(filter));
        run.words.extend(words(&format!("-map 0 {} {filter}", if is_video { "-vf" } else { "-af" })));
        run.words.extend(words(&format!("{length} {OUTPUT} -f framemd5 {out}/{name}")));
        run.results.push((name, *right));
    }
    run
}

fn runs(out: &str) -> Vec<Run> {
    vec![
        coding(VIDEO, true, None, out),
        coding(AUDIO, false, None, out),
        decoding(VIDEO, true, out),
        decoding(AUDIO, false, out),
        filtering(VIDEO_FILTERS, true, out),
        filtering(AUDIO_FILTERS, false, out),
    ]
}

/// Where ffmpeg runs, and with which of its code.
struct Way<'a> {
    name: &'static str,
    runner: &'a Runner,
    tree: &'a Tree,
    flags: &'static [&'static str],
}

impl Way<'_> {
    fn start(&self, work: &Path, words: &[String]) -> Result<std::process::Output> {
        let mut command = self.runner.command(self.tree, Some(work), &[], "/usr/bin/ffmpeg");
        command.args(["-nostdin", "-hide_banner", "-y", "-v", "error", "-filter_threads", "1"]).args(self.flags);
        finish(command.args(words))
    }

    fn run(&self, work: &Path) -> Result<()> {
        let out = work.join(self.name);
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        fs::create_dir_all(&out)?;
        for run in runs(self.name) {
            let output = self.start(work, &run.words)?;
            let errors = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "{}: {}: {errors}", self.name, output.status);
        }
        Ok(())
    }
}

/// Runs everything in four ways and compares the sums.
pub(super) fn run(vambrace: &Runner) -> Result<Tally> {
    let arm64 = Tree::fetch("ffmpeg", "arm64", &["ffmpeg"])?;
    let amd64 = Tree::fetch("ffmpeg", "amd64", &["ffmpeg"])?;
    let (qemu, native) = (Runner::qemu()?, Runner::Native);
    let work = super::place("ffmpeg");
    fs::create_dir_all(work.join("media"))?;
    let ways = [
        Way { name: "native", runner: &native, tree: &amd64, flags: &[] },
        Way { name: "guest", runner: vambrace, tree: &arm64, flags: &[] },
        Way { name: "guest-c", runner: vambrace, tree: &arm64, flags: &["-cpuflags", "0"] },
        Way { name: "qemu", runner: &qemu, tree: &arm64, flags: &[] },
        Way { name: "qemu-c", runner: &qemu, tree: &arm64, flags: &["-cpuflags", "0"] },
    ];
    for run in [coding(VIDEO, true, Some("media"), ""), coding(AUDIO, false, Some("media"), "")] {
        let output = ways[0].start(&work, &run.words)?;
        ensure!(output.status.success(), "making files: {}", String::from_utf8_lossy(&output.stderr));
    }
    for way in &ways {
        way.run(&work).with_context(|| way.name)?;
    }
    let version = printed(vambrace.command(&arm64, None, &[], "/usr/bin/ffmpeg").arg("-version"))?;
    let version = version.lines().next().and_then(|line| line.split(" Copyright").next()).unwrap_or_default();
    let mut tally = Tally { versions: vec![version.to_owned()], ..Tally::default() };
    tally_results(&work, &mut tally)?;
    Ok(tally)
}

/// Compares each result of the guest with the right one, with vector code and without.
fn tally_results(work: &Path, tally: &mut Tally) -> Result<()> {
    let (mut native, mut qemu) = (0, 0);
    for (name, right) in runs("").into_iter().flat_map(|run| run.results) {
        let read = |way: &str| -> Result<String> {
            let path = work.join(way).join(&name);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let pairs = match right {
            Native => [("guest", "native"), ("guest-c", "native")],
            Qemu => [("guest", "qemu"), ("guest-c", "qemu-c")],
        };
        let mut is_same = true;
        for (ours, theirs) in pairs {
            if let Some((_, how)) = compare(&read(ours)?, &read(theirs)?).different.into_iter().next() {
                is_same = false;
                tally.failed.push((name.clone(), format!("{ours} and {theirs} differ: {how}")));
            }
        }
        match right {
            _ if !is_same => {}
            Native => native += 1,
            Qemu => qemu += 1,
        }
    }
    tally.passed.push((native, "results equal to native ones, with vector code and with C alone".to_owned()));
    let what = "results, not bit-exact across processors, equal to `qemu-aarch64`'s, with vector code and with C alone";
    tally.passed.push((qemu, what.to_owned()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_names_of_their_own() {
        let mut names: Vec<String> = runs("x").into_iter().flat_map(|run| run.results).map(|(name, _)| name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(count > 80, "{count} results");
    }

    #[test]
    fn another_sum_is_a_failure() {
        let work = std::env::temp_dir().join(format!("ffmpeg-tally-{}", std::process::id()));
        for way in ["native", "guest", "guest-c", "qemu", "qemu-c"] {
            fs::create_dir_all(work.join(way)).expect("a directory");
            for (name, _) in runs("").into_iter().flat_map(|run| run.results) {
                fs::write(work.join(way).join(name), "MD5=00\n").expect("a file");
            }
        }
        let mut tally = Tally::default();
        tally_results(&work, &mut tally).expect("all files");
        assert_eq!((tally.failed.len(), tally.passed.len()), (0, 2));
        fs::write(work.join("guest").join("mpeg1video.coded"), "MD5=01\n").expect("a file");
        let mut tally = Tally::default();
        tally_results(&work, &mut tally).expect("all files");
        fs::remove_dir_all(&work).expect("it was made");
        assert_eq!(tally.failed.len(), 1);
    }
}
