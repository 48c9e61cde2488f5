//! Byte for byte, whole and split in every way.

use super::*;

/// What `input` causes: events and replies.
fn receive(input: &[u8]) -> (Vec<Event>, Vec<u8>) {
    let mut receiver = Receiver::default();
    take_all(&mut receiver, input)
}

fn take_all(receiver: &mut Receiver, input: &[u8]) -> (Vec<Event>, Vec<u8>) {
    let (mut events, mut replies) = (Vec::new(), Vec::new());
    for &byte in input {
        let before = replies.len();
        events.extend(receiver.take(byte, &mut replies));
        assert!(replies.len() - before <= MAX_REPLY);
    }
    (events, replies)
}

fn data(bytes: &[u8]) -> Vec<Event> {
    bytes.iter().map(|&byte| Event::Data(byte)).collect()
}

#[test]
fn plain_bytes_are_data() {
    assert_eq!(receive(b"ls\xc3\xa9"), (data(b"ls\xc3\xa9"), vec![]));
}

#[test]
fn the_end_of_a_line_is_one_return() {
    assert_eq!(
        receive(b"a\r\nb\r\0c\rd\n"),
        (data(b"a\rb\rc\rd\n"), vec![])
    );
    assert_eq!(receive(b"\r\n\n\0"), (data(b"\r\n\0"), vec![]));
}

#[test]
fn a_command_may_part_a_return_from_its_line_feed() {
    assert_eq!(receive(&[b'\r', IAC, 241, b'\n']), (data(b"\r"), vec![]));
}

#[test]
fn a_doubled_iac_is_a_byte() {
    assert_eq!(
        receive(&[b'x', IAC, IAC, b'y']),
        (data(&[b'x', IAC, b'y']), vec![])
    );
}

#[test]
fn answers_to_the_offers_are_not_answered() {
    let answers = [
        [IAC, DO, ECHO],
        [IAC, DO, SUPPRESS_GO_AHEAD],
        [IAC, WILL, WINDOW_SIZE],
    ];
    assert_eq!(receive(answers.as_flattened()), (vec![], vec![]));
    let refusals = [
        [IAC, DONT, ECHO],
        [IAC, DONT, SUPPRESS_GO_AHEAD],
        [IAC, WONT, TERMINAL_TYPE],
        [IAC, WONT, WINDOW_SIZE],
    ];
    assert_eq!(receive(refusals.as_flattened()), (vec![], vec![]));
}

#[test]
fn a_client_that_tells_its_terminal_is_asked_for_the_name_once() {
    let (events, replies) = receive(&[IAC, WILL, TERMINAL_TYPE, IAC, WILL, TERMINAL_TYPE]);
    assert_eq!((events, replies), (vec![], vec![IAC, SB, 24, 1, IAC, SE]));
}

#[test]
fn repeated_agreement_is_not_answered_and_a_change_is_once() {
    let mut receiver = Receiver::default();
    assert_eq!(take_all(&mut receiver, &[IAC, DO, ECHO]).1, []);
    assert_eq!(take_all(&mut receiver, &[IAC, DO, ECHO]).1, []);
    assert_eq!(
        take_all(&mut receiver, &[IAC, DONT, ECHO]).1,
        [IAC, WONT, ECHO]
    );
    assert_eq!(take_all(&mut receiver, &[IAC, DONT, ECHO]).1, []);
    assert_eq!(
        take_all(&mut receiver, &[IAC, DO, ECHO]).1,
        [IAC, WILL, ECHO]
    );
}

#[test]
fn the_client_may_suppress_go_ahead_itself() {
    assert_eq!(
        receive(&[IAC, WILL, SUPPRESS_GO_AHEAD]).1,
        [IAC, DO, SUPPRESS_GO_AHEAD]
    );
}

#[test]
fn every_other_option_is_refused_and_refusals_of_it_are_not_answered() {
    for option in (0..=255).filter(|option| ![1, 3, 24, 31].contains(option)) {
        assert_eq!(receive(&[IAC, DO, option]).1, [IAC, WONT, option]);
        assert_eq!(receive(&[IAC, WILL, option]).1, [IAC, DONT, option]);
        assert_eq!(receive(&[IAC, DONT, option]).1, []);
        assert_eq!(receive(&[IAC, WONT, option]).1, []);
    }
    // These are supported in the other direction only.
    assert_eq!(receive(&[IAC, WILL, ECHO]).1, [IAC, DONT, ECHO]);
    assert_eq!(receive(&[IAC, DO, WINDOW_SIZE]).1, [IAC, WONT, WINDOW_SIZE]);
}

#[test]
fn two_servers_fall_silent() {
    let mut sides = [Receiver::default(), Receiver::default()];
    let mut said = OFFERS.to_vec();
    for round in 0..10 {
        let side = &mut sides[round % 2];
        said = take_all(side, &said).1;
    }
    assert_eq!(said, []);
}

#[test]
fn window_sizes_are_numbers_of_two_bytes() {
    let size = [IAC, SB, WINDOW_SIZE, 0, 132, 0, 43, IAC, SE];
    assert_eq!(receive(&size), (vec![Event::WindowSize(132, 43)], vec![]));
    // A byte of 255 is doubled here too.
    let size = [IAC, SB, WINDOW_SIZE, 0, IAC, IAC, 1, 0, IAC, SE];
    assert_eq!(receive(&size), (vec![Event::WindowSize(255, 256)], vec![]));
}

#[test]
fn terminal_names_are_in_small_letters() {
    let name = b"\xff\xfa\x18\x00XTERM-256color\xff\xf0";
    assert_eq!(
        receive(name),
        (vec![Event::TerminalType("xterm-256color".into())], vec![])
    );
}

#[test]
fn unusual_terminal_names_are_not_believed() {
    for name in [
        &b""[..],
        b"../../x",
        b"a b",
        b"x\0y",
        b"-x",
        b"a=b",
        b"\xc3\xa9",
    ] {
        let input = [&[IAC, SB, 24, 0][..], name, &[IAC, SE]].concat();
        assert_eq!(receive(&input), (vec![], vec![]), "{name:?}");
    }
}

#[test]
fn keys_have_functions() {
    let keys = [
        (244, Key::Interrupt),
        (243, Key::Interrupt),
        (238, Key::Quit),
        (237, Key::Suspend),
        (236, Key::EndOfFile),
        (247, Key::Erase),
        (248, Key::Kill),
    ];
    for (command, key) in keys {
        assert_eq!(receive(&[IAC, command]), (vec![Event::Key(key)], vec![]));
    }
    assert_eq!(receive(&[IAC, 246]).0, [Event::AreYouThere]);
    // NOP, the data mark, AO, GA, SE outside a subnegotiation, and no command at all.
    for command in [241, 242, 245, 249, 240, 7] {
        assert_eq!(
            receive(&[IAC, command, b'x']),
            (data(b"x"), vec![]),
            "{command}"
        );
    }
}

#[test]
fn an_endless_subnegotiation_is_skipped_and_kept_small() {
    let mut receiver = Receiver::default();
    take_all(&mut receiver, &[IAC, SB, 24, 0]);
    for _ in 0..100_000 {
        assert_eq!(take_all(&mut receiver, b"A"), (vec![], vec![]));
    }
    assert!(receiver.subnegotiation.capacity() <= 2 * MAX_SUBNEGOTIATION);
    assert_eq!(
        take_all(&mut receiver, &[IAC, SE, b'x']),
        (data(b"x"), vec![])
    );
}

#[test]
fn malformed_subnegotiations_say_nothing() {
    for body in [
        &[][..],
        &[31],
        &[31, 0, 80, 0],
        &[31, 0, 80, 0, 24, 0],
        &[24],
        &[24, 1],
        &[99, 1, 2],
    ] {
        let input = [&[IAC, SB][..], body, &[IAC, SE, b'x']].concat();
        assert_eq!(receive(&input), (data(b"x"), vec![]), "{body:?}");
    }
}

#[test]
fn a_command_ends_a_subnegotiation_without_an_end() {
    let input = [IAC, SB, 24, 0, b'x', IAC, 244, b'y'];
    assert_eq!(
        receive(&input).0,
        [Event::Key(Key::Interrupt), Event::Data(b'y')]
    );
}

#[test]
fn a_session_is_settled_once_terminal_and_window_are_told_or_refused() {
    let mut receiver = Receiver::default();
    assert!(!receiver.is_settled() && !receiver.has_negotiated());
    take_all(&mut receiver, &[IAC, WILL, TERMINAL_TYPE]);
    take_all(&mut receiver, &[IAC, WONT, WINDOW_SIZE]);
    assert!(!receiver.is_settled() && receiver.has_negotiated());
    take_all(&mut receiver, b"\xff\xfa\x18\x00VT100\xff\xf0");
    assert!(receiver.is_settled());
}

#[test]
fn data_alone_is_no_negotiation() {
    let mut receiver = Receiver::default();
    take_all(&mut receiver, b"plain \xff\xff text\r\n");
    assert!(!receiver.has_negotiated());
}

#[test]
fn any_bytes_are_survived() {
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    let mut receiver = Receiver::default();
    let mut replies = Vec::new();
    for _ in 0..300_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // Commands and options are made likely.
        let byte = match seed >> 60 {
            0..6 => IAC,
            6..10 => 236 + (seed >> 20) as u8 % 20,
            10..12 => [1, 3, 24, 31][(seed >> 20) as usize % 4],
            _ => (seed >> 30) as u8,
        };
        replies.clear();
        receiver.take(byte, &mut replies);
        assert!(replies.len() <= MAX_REPLY);
        assert!(receiver.subnegotiation.len() <= MAX_SUBNEGOTIATION);
    }
}

#[test]
fn output_is_escaped_however_it_is_split() {
    let output = b"one\r\ntwo\rthree\xff\r\r\n\r";
    let line = b"one\r\ntwo\r\0three\xff\xff\r\0\r\n\r";
    for at in 0..=output.len() {
        let (mut sender, mut sent) = (Sender::default(), Vec::new());
        let (first, second) = output.split_at(at);
        sender.wrap(first, &mut sent);
        sender.wrap(second, &mut sent);
        assert_eq!(sent, line, "split at {at}");
    }
}
