//! Gzip against flate2's own reader, however the stream is split.

use std::io::{Read, Write};

use flate2::{Compression, GzBuilder, read::MultiGzDecoder, write::GzEncoder};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Collected, Reading, cuts, mutated, mutation, pieces};
use crate::intake::{BodyReader, Encoding, Format, Gunzip, GzipFault::*, IntakeError};

pub(super) fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// Decodes a stream that comes in these pieces.
fn decode<'body>(stream: impl IntoIterator<Item = &'body [u8]>) -> (Vec<u8>, Result<(), IntakeError>) {
    let (mut gunzip, mut decoded) = (Gunzip::new(), Vec::new());
    for piece in stream {
        let fed = gunzip.feed(piece, &mut |bytes| {
            decoded.extend_from_slice(bytes);
            Ok(())
        });
        if fed.is_err() {
            return (decoded, fed);
        }
    }
    (decoded, gunzip.finish())
}

fn read_body<'body>(stream: impl IntoIterator<Item = &'body [u8]>, max: Option<u64>) -> Reading {
    let mut reader = BodyReader::new(Format::Json, Encoding::Gzip, max, Collected::default());
    for piece in stream {
        if let Err(error) = reader.feed(piece) {
            assert_eq!(reader.feed(b""), Err(error.clone()), "an error stays");
            let elements = reader.sink().elements.clone();
            assert_eq!(reader.finish().map(|_| ()), Err(error.clone()), "the end tells the same error");
            return (elements, Err(error));
        }
    }
    let elements = reader.sink().elements.clone();
    (elements, reader.finish().map(|_| ()))
}

/// One member, with any of the optional parts of a header.
fn member() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let content = prop_oneof![
        vec(any::<u8>(), 0..80),
        (any::<u8>(), 0..70_000_usize).prop_map(|(byte, length)| vec![byte; length]),
        vec(prop::sample::select(b"abc".to_vec()), 0..3000),
    ];
    (content, any::<[bool; 3]>(), 0..10_u32).prop_map(|(content, [extra, name, comment], level)| {
        let mut builder = GzBuilder::new().mtime(7);
        if extra {
            builder = builder.extra(*b"ab\x01\0x");
        }
        if name {
            builder = builder.filename("list.json");
        }
        if comment {
            builder = builder.comment("ours");
        }
        let mut encoder = builder.write(Vec::new(), Compression::new(level));
        encoder.write_all(&content).unwrap();
        (content, encoder.finish().unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn members_decode_to_their_contents(members in vec(member(), 1..4), cuts in cuts()) {
        let (contents, streams): (Vec<_>, Vec<_>) = members.into_iter().unzip();
        let (content, stream) = (contents.concat(), streams.concat());

        prop_assert_eq!(decode([stream.as_slice()]), (content.clone(), Ok(())));
        prop_assert_eq!(decode(pieces(&stream, &cuts)), (content.clone(), Ok(())));
        prop_assert_eq!(decode(stream.chunks(1)), (content, Ok(())));
    }

    #[test]
    fn a_damaged_stream_decodes_as_flate2_decodes_it(
        member in member(), mutations in vec(mutation(), 1..3), cuts in cuts(),
    ) {
        let stream = mutated(member.1, &mutations);
        let mut model = Vec::new();
        let is_valid = !stream.is_empty() && MultiGzDecoder::new(stream.as_slice()).read_to_end(&mut model).is_ok();

        let (decoded, result) = decode([stream.as_slice()]);

        prop_assert_eq!(decode(stream.chunks(1)), (decoded.clone(), result.clone()));
        prop_assert_eq!(decode(pieces(&stream, &cuts)), (decoded.clone(), result.clone()));
        let has_reserved_flag = stream.len() > 3 && stream[3] & 0xe0 != 0;
        prop_assert_eq!(result.is_ok(), is_valid && !has_reserved_flag, "{:?}", result);
        prop_assert!(!is_valid || has_reserved_flag || decoded == model);
    }

    #[test]
    fn a_gzipped_body_reads_the_same_however_split(
        texts in vec("[a-z]{0,9}", 0..300), inside in prop::option::weighted(0.3, mutation()),
        outside in prop::option::weighted(0.3, mutation()), cuts in cuts(), max in prop::option::of(0..900_u64),
    ) {
        let body = mutated(serde_json::to_vec(&texts).unwrap(), inside.as_slice());
        let stream = mutated(gzipped(&body), outside.as_slice());
        let whole = read_body([stream.as_slice()], max);

        prop_assert_eq!(&read_body(stream.chunks(1), max), &whole);
        prop_assert_eq!(&read_body(pieces(&stream, &cuts), max), &whole);
    }
}

#[test]
fn every_fault_of_a_stream_has_its_name() {
    let good = gzipped(b"[\"a\"]");
    let changed = |at: usize, byte: u8| {
        let mut stream = good.clone();
        stream[at] = byte;
        stream
    };
    let mut endless_name = good[..10].to_vec();
    endless_name[3] = 8;
    endless_name.extend([b'x'; 70_000]);
    let table = [
        (Vec::new(), Truncated),
        (good[..1].to_vec(), Truncated),
        (good[..12].to_vec(), Truncated),
        (good[..good.len() - 1].to_vec(), Truncated),
        ([&good[..], &good[..3]].concat(), Truncated),
        (b"[\"a\"]".to_vec(), NotGzip),
        (changed(2, 9), NotGzip),
        (changed(3, 32), NotGzip),
        (changed(10, 0xff), Corrupt),
        (changed(good.len() - 1, 1), WrongChecksum),
        (changed(good.len() - 8, !good[good.len() - 8]), WrongChecksum),
        ([&good[..], b"\0"].concat(), TrailingData),
        ([&good[..], b"\x1f\0"].concat(), TrailingData),
        (endless_name, HeaderTooLong),
    ];
    for (stream, fault) in table {
        for size in [1, 3, stream.len().max(1)] {
            assert_eq!(decode(stream.chunks(size)).1, Err(IntakeError::Gzip { fault }), "{stream:?}");
        }
    }
}

#[test]
fn what_came_before_a_fault_does_not_depend_on_the_pieces() {
    let stream = gzipped(&b"ab".repeat(60_000));
    for at in 0..stream.len() {
        let cut_short = stream[..at].to_vec();
        let mut damaged = stream.clone();
        damaged[at] ^= 0x55;
        for stream in [cut_short, damaged] {
            let whole = decode([stream.as_slice()]);
            assert!(whole.1.is_err() || (4..10).contains(&at), "at {at}");
            assert!(decode(stream.chunks(1)) == whole, "at {at}");
        }
        let mut model = Vec::new();
        assert!(MultiGzDecoder::new(&stream[..at]).read_to_end(&mut model).is_err());
        assert_eq!(
            decode([&stream[..at]]).0.len(),
            model.len(),
            "all that can be read is handed on, at {at}"
        );
    }
}

#[test]
fn a_body_is_whole_only_when_its_stream_and_its_text_are() {
    let good = gzipped(b"[\"a\"]");
    let truncated = IntakeError::Gzip { fault: Truncated };

    assert_eq!(read_body([&good[..]], None).1, Ok(()));
    assert_eq!(read_body([&good[..good.len() - 1]], None).1, Err(truncated));
    let twice = IntakeError::Gzip { fault: Twice };
    assert_eq!(read_body([&gzipped(&good)[..]], None).1, Err(twice));
    assert!(matches!(read_body([&gzipped(b"[\"a\"")[..]], None).1, Err(IntakeError::Malformed(_))));
}

#[test]
fn the_checksum_of_a_header_is_checked() {
    let good = gzipped(b"x");
    let mut header = good[..10].to_vec();
    header[3] = 2;
    let mut checksum = flate2::Crc::new();
    checksum.update(&header);
    let sum = (checksum.sum() as u16).to_le_bytes();

    let right = [&header[..], &sum, &good[10..]].concat();
    let wrong = [&header[..], &[sum[0], !sum[1]], &good[10..]].concat();

    assert_eq!(decode([&right[..]]), (b"x".to_vec(), Ok(())));
    assert_eq!(decode([&wrong[..]]).1, Err(IntakeError::Gzip { fault: WrongChecksum }));
}

#[test]
fn a_fault_of_the_text_is_told_before_a_later_one_of_the_stream() {
    let mut stream = gzipped(b"[1]");
    stream.truncate(stream.len() - 4);

    let (_, result) = read_body([stream.as_slice()], None);

    assert!(matches!(result, Err(IntakeError::Malformed(_))), "{result:?}");
}
