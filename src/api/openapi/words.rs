//! The closed sets of words in the bodies, from where the words are made: for `schema_with`.

use utoipa::openapi::{Object, ObjectBuilder, Type};

use crate::{
    api::compat::End,
    domain::{NotSentReason, OutcomeKind, Status},
};

fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// Where a resend stands.
pub(in crate::api) fn status() -> Object {
    one_of(Status::ALL.map(Status::as_str))
}

/// The state of a dry run.
pub(in crate::api) fn finished() -> Object {
    one_of([Status::Finished.as_str()])
}

/// What holds work.
pub(in crate::api) fn not_sent() -> Object {
    one_of(NotSentReason::ALL.iter().map(|reason| reason.as_str()))
}

/// What became of an address, or that nothing has yet, or what would.
pub(in crate::api) fn row_outcome() -> Object {
    one_of(OutcomeKind::ALL.map(OutcomeKind::as_str).into_iter().chain(["pending", "would_send"]))
}

/// Why a list that was taken is told as an error of fax.plus.
pub(in crate::api) fn compat_end() -> Object {
    one_of(End::ERRORS.map(End::word))
}

/// Always true.
pub(in crate::api) fn yes() -> Object {
    ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([true])).build()
}
