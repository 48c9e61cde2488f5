//! What a terminal does with what is typed and written.

use alloc::vec::Vec;
use std::string::String;

use super::{Discipline, Effects, INPUT_LIMIT};
use crate::signal::Number;
use crate::tty::termios::{Control, Input, Local, Output, Termios};

fn with(change: impl FnOnce(&mut Termios)) -> Discipline {
    let mut termios = Termios::default();
    change(&mut termios);
    let mut discipline = Discipline::default();
    discipline.set_termios(termios);
    discipline
}

fn type_in(discipline: &mut Discipline, bytes: &[u8]) -> Effects {
    let mut effects = Effects::default();
    assert_eq!(discipline.receive(bytes, &mut effects), bytes.len());
    effects
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Types `input` into a terminal and gives the first line read and the echo.
fn check(discipline: &mut Discipline, input: &[u8]) -> (String, String) {
    type_in(discipline, input);
    (text(discipline.read(INPUT_LIMIT)), text(discipline.take_echo(usize::MAX)))
}

#[test]
fn a_line_is_readable_once_it_is_ended() {
    let mut tty = with(|_| {});
    type_in(&mut tty, b"ab");
    assert!(!tty.is_readable(true));
    assert_eq!(tty.available(), 0);
    type_in(&mut tty, b"c\rdef");
    assert!(tty.is_readable(true));
    assert_eq!(tty.available(), 4);
    assert_eq!(text(tty.read(100)), "abc\n");
    assert!(!tty.is_readable(false));
    assert_eq!(text(tty.take_echo(usize::MAX)), "abc\r\ndef");
}

#[test]
fn a_short_read_leaves_the_rest_of_the_line() {
    let mut tty = with(|_| {});
    type_in(&mut tty, b"hello\nworld\n");
    assert_eq!(text(tty.read(3)), "hel");
    assert_eq!(text(tty.read(100)), "lo\n");
    assert_eq!(text(tty.read(100)), "world\n");
}

#[test]
fn end_of_file_gives_what_was_typed_and_then_nothing() {
    let mut tty = with(|_| {});
    type_in(&mut tty, b"ab\x04\x04");
    assert_eq!(text(tty.read(100)), "ab");
    assert!(tty.is_readable(true));
    assert_eq!(text(tty.read(100)), "");
    assert!(!tty.is_readable(true));
    assert_eq!(text(tty.take_echo(usize::MAX)), "ab");
}

#[test]
fn erase_takes_the_last_character() {
    assert_eq!(check(&mut with(|_| {}), b"abc\x7fd\n"), ("abd\n".into(), "abc\x08 \x08d\r\n".into()));
}

#[test]
fn erase_does_not_reach_into_the_line_before() {
    let mut tty = with(|_| {});
    type_in(&mut tty, b"a\n\x7f\x7fb\n");
    assert_eq!(text(tty.read(100)), "a\n");
    assert_eq!(text(tty.read(100)), "b\n");
}

#[test]
fn erase_wipes_both_columns_of_a_control_character() {
    assert_eq!(check(&mut with(|_| {}), b"\x01\x7f\n"), ("\n".into(), "^A\x08 \x08\x08 \x08\r\n".into()));
}

#[test]
fn erase_takes_a_whole_utf8_character_if_so_set() {
    let mut tty = with(|t| t.input |= Input::IUTF8);
    assert_eq!(check(&mut tty, "aé\x7f\n".as_bytes()), ("a\n".into(), "aé\x08 \x08\r\n".into()));
    let mut bytes = with(|_| {});
    type_in(&mut bytes, "é\x7f\n".as_bytes());
    assert_eq!(bytes.read(100), [0xc3, b'\n']);
}

#[test]
fn erase_goes_back_over_a_tab() {
    assert_eq!(check(&mut with(|_| {}), b"ab\t\x7f\n").1, "ab\t\x08\x08\x08\x08\x08\x08\r\n");
}

#[test]
fn erased_tab_counts_from_where_the_prompt_ended() {
    let mut tty = with(|_| {});
    assert_eq!(tty.process_all(b"$$$ "), b"$$$ ");
    assert_eq!(check(&mut tty, b"ab\t\x7f\n").1, "ab\t\x08\x08\r\n");
}

#[test]
fn word_erase_takes_blanks_and_the_word_before() {
    let (line, _) = check(&mut with(|_| {}), b"one two  \x17x\n");
    assert_eq!(line, "one x\n");
}

#[test]
fn kill_wipes_the_line() {
    assert_eq!(check(&mut with(|_| {}), b"ab\x15c\n"), ("c\n".into(), "ab\x08 \x08\x08 \x08c\r\n".into()));
}

#[test]
fn kill_without_echoke_starts_a_new_line() {
    let mut tty = with(|t| t.local.remove(Local::ECHOKE));
    assert_eq!(check(&mut tty, b"ab\x15c\n"), ("c\n".into(), "ab^U\r\nc\r\n".into()));
}

#[test]
fn a_paper_terminal_shows_what_is_erased() {
    let mut tty = with(|t| t.local |= Local::ECHOPRT);
    assert_eq!(check(&mut tty, b"abc\x7f\x7fd\n"), ("ad\n".into(), "abc\\cb/d\r\n".into()));
}

#[test]
fn erase_without_echoe_shows_the_erase_character() {
    let mut tty = with(|t| t.local.remove(Local::ECHOE));
    assert_eq!(check(&mut tty, b"a\x7f\n").1, "a^?\r\n");
}

#[test]
fn reprint_shows_the_line_again() {
    assert_eq!(check(&mut with(|_| {}), b"ab\x12c\n"), ("abc\n".into(), "ab^R\r\nabc\r\n".into()));
}

#[test]
fn literal_next_takes_a_control_character() {
    let mut tty = with(|_| {});
    let effects = type_in(&mut tty, b"\x16\x03\x16\x7f\n");
    assert!(effects.signals.is_empty());
    assert_eq!(tty.read(100), b"\x03\x7f\n");
    assert_eq!(text(tty.take_echo(usize::MAX)), "^\x08^C^\x08^?\r\n");
}

#[test]
fn signals_flush_what_was_typed() {
    let mut tty = with(|_| {});
    let effects = type_in(&mut tty, b"abc\ndef\x03\x1c\x1a");
    assert_eq!(effects.signals, [Number::SIGINT, Number::SIGQUIT, Number::SIGTSTP]);
    assert!(effects.flush_output && effects.flush_input);
    assert!(!tty.is_readable(false));
    // Each signal drops the echo that is still there.
    assert_eq!(text(tty.take_echo(usize::MAX)), "^Z");
}

#[test]
fn noflsh_keeps_what_was_typed() {
    let mut tty = with(|t| t.local |= Local::NOFLSH);
    let effects = type_in(&mut tty, b"ab\x03c\n");
    assert_eq!(effects.signals, [Number::SIGINT]);
    assert!(!effects.flush_output);
    assert_eq!(text(tty.read(100)), "abc\n");
}

#[test]
fn without_isig_the_interrupt_character_is_input() {
    let mut tty = with(|t| t.local.remove(Local::ISIG));
    assert_eq!(check(&mut tty, b"\x03\n"), ("\x03\n".into(), "^C\r\n".into()));
}

#[test]
fn stop_and_start_hold_output_and_echo() {
    let mut tty = with(|_| {});
    assert!(type_in(&mut tty, b"\x13").flow_changed);
    assert!(tty.is_stopped());
    assert!(!type_in(&mut tty, b"a").flow_changed);
    assert_eq!(tty.take_echo(100), b"");
    assert!(type_in(&mut tty, b"\x11").flow_changed);
    assert_eq!(text(tty.take_echo(100)), "a");
    assert!(!tty.is_stopped());
}

#[test]
fn any_byte_starts_output_with_ixany() {
    let mut tty = with(|t| t.input |= Input::IXANY);
    type_in(&mut tty, b"\x13");
    assert!(tty.is_stopped());
    assert!(type_in(&mut tty, b"k").flow_changed);
    assert!(!tty.is_stopped());
}

#[test]
fn an_interrupt_starts_stopped_output() {
    let mut tty = with(|_| {});
    type_in(&mut tty, b"\x13\x03");
    assert!(!tty.is_stopped());
}

#[test]
fn held_output_is_not_started_by_a_character() {
    let mut tty = with(|_| {});
    assert!(tty.hold(true));
    type_in(&mut tty, b"\x11");
    assert!(tty.is_stopped());
    assert!(tty.hold(false));
    assert!(!tty.is_stopped());
}

#[test]
fn clearing_ixon_starts_stopped_output() {
    let mut tty = with(|_| {});
    type_in(&mut tty, b"\x13");
    let mut termios = tty.termios().clone();
    termios.input.remove(Input::IXON);
    assert!(tty.set_termios(termios).flow_changed);
    assert!(!tty.is_stopped());
}

#[test]
fn newline_mappings_on_input() {
    let line = |change: fn(&mut Termios), input: &[u8]| {
        let mut tty = with(|t| {
            t.local.remove(Local::ICANON | Local::ECHO);
            change(t);
        });
        type_in(&mut tty, input);
        tty.read(100)
    };
    assert_eq!(line(|_| {}, b"\r\n"), b"\n\n");
    assert_eq!(line(|t| t.input = Input::empty(), b"\r\n"), b"\r\n");
    assert_eq!(line(|t| t.input |= Input::IGNCR, b"\r\n"), b"\n");
    assert_eq!(line(|t| t.input = Input::INLCR, b"\r\n"), b"\r\r");
    assert_eq!(line(|t| t.input |= Input::ISTRIP, b"\xe1"), b"\x61");
    assert_eq!(line(|t| t.input |= Input::PARMRK, b"\xff"), b"\xff\xff");
    assert_eq!(line(|t| t.input |= Input::IUCLC, b"aBC"), b"abc");
}

#[test]
fn eol_characters_end_lines_and_are_read() {
    let mut tty = with(|t| {
        t.characters[Control::VEOL as usize] = b';';
        t.characters[Control::VEOL2 as usize] = b'|';
    });
    type_in(&mut tty, b"a;b|");
    assert_eq!(text(tty.read(100)), "a;");
    assert_eq!(text(tty.read(100)), "b|");
}

#[test]
fn echonl_shows_newlines_alone() {
    let mut tty = with(|t| {
        t.local.remove(Local::ECHO);
        t.local |= Local::ECHONL;
    });
    assert_eq!(check(&mut tty, b"ab\n"), ("ab\n".into(), "\r\n".into()));
}

#[test]
fn raw_bytes_are_readable_at_once() {
    let mut tty = with(|t| t.local.remove(Local::ICANON | Local::ECHO | Local::ISIG | Local::IEXTEN));
    type_in(&mut tty, b"a\x03\x7f\x04");
    assert_eq!(tty.available(), 4);
    assert_eq!(tty.read(2), b"a\x03");
    assert_eq!(tty.read(100), b"\x7f\x04");
}

#[test]
fn poll_waits_for_vmin_bytes_unless_there_is_a_timer() {
    let mut tty = with(|t| {
        t.local.remove(Local::ICANON);
        t.characters[Control::VMIN as usize] = 3;
    });
    type_in(&mut tty, b"ab");
    assert!(!tty.is_readable(true));
    assert!(tty.is_readable(false));
    let mut timed = tty.termios().clone();
    timed.characters[Control::VTIME as usize] = 1;
    tty.set_termios(timed);
    assert!(tty.is_readable(true));
}

#[test]
fn leaving_canonical_mode_frees_the_unfinished_line() {
    let mut tty = with(|_| {});
    type_in(&mut tty, b"ab\ncd");
    let mut termios = tty.termios().clone();
    termios.local.remove(Local::ICANON);
    tty.set_termios(termios);
    assert_eq!(tty.read(100), b"ab\ncd");
}

#[test]
fn entering_canonical_mode_pushes_what_is_there() {
    let mut tty = with(|t| t.local.remove(Local::ICANON));
    type_in(&mut tty, b"ab");
    tty.set_termios(Termios::default());
    assert!(tty.is_readable(true));
    assert_eq!(tty.read(100), b"ab");
}

#[test]
fn a_line_that_is_too_long_keeps_its_beginning_and_can_be_ended() {
    let mut tty = with(|t| t.local.remove(Local::ECHO));
    let long: Vec<u8> = (0..6000_u32).map(|i| b'a' + (i % 26) as u8).collect();
    type_in(&mut tty, &long);
    assert!(!tty.is_readable(true));
    type_in(&mut tty, b"\n");
    let line = tty.read(10_000);
    assert_eq!(line.len(), INPUT_LIMIT);
    assert_eq!(line[..4094], long[..4094]);
    assert_eq!(line[4095], b'\n');
}

#[test]
fn unread_lines_push_back() {
    let mut tty = with(|t| t.local.remove(Local::ECHO));
    type_in(&mut tty, b"first\n");
    let mut effects = Effects::default();
    let taken = tty.receive(&[b'x'; 5000], &mut effects);
    assert!(taken < 5000 && tty.room() == 0);
    tty.read(100);
    assert!(tty.room() > 0);
}

#[test]
fn output_newlines_and_tabs() {
    let out = |change: fn(&mut Termios), bytes: &[u8]| with(change).process_all(bytes);
    assert_eq!(out(|_| {}, b"a\nb"), b"a\r\nb");
    assert_eq!(out(|t| t.output = Output::ONLCR, b"a\nb"), b"a\nb");
    assert_eq!(out(|t| t.output |= Output::TAB3, b"ab\tc\t"), b"ab      c       ");
    assert_eq!(out(|t| t.output |= Output::OCRNL, b"a\rb"), b"a\nb");
    assert_eq!(out(|t| t.output |= Output::ONOCR, b"\ra\r"), b"a\r");
    assert_eq!(out(|t| t.output |= Output::OLCUC, b"ab"), b"AB");
}
