//! Keeps RAM for those who need it: while much is under way there, the rows of a list that came whole into RAM
//! go to the store before it is taken.

use super::service::{Resends, SealError};
use crate::{
    domain::ResendId,
    store::{
        Body, Record, Shape,
        file::{Stage, Store},
    },
};

/// Shorter lists cost no more in RAM than their shape does.
const WORTH_IT: usize = 4096;

impl Resends {
    /// Gives the same resend with its rows in the store, if RAM is crowded and there is a store.
    pub(super) async fn stow(&self, record: Record, rows: &mut Unclaimed) -> Result<Record, SealError> {
        let bytes = Record::bytes(&record.body);
        let Some(store) = self.store.as_ref().filter(|_| bytes > WORTH_IT && self.registry.is_crowded(bytes))
        else {
            return Ok(record);
        };
        let Some(shape) = record.body.list().map(Shape::of) else { return Ok(record) };
        rows.add(Some(store), record.id);
        let mut parts = store.parts();
        parts.add(record.row_at(Stage::Reading)).await?;
        for chunk in record.write_rows() {
            parts.add(chunk).await?;
        }
        parts.end().await?;
        let Record { id, client, force, trace, .. } = record;
        Ok(Record::new(id, client, force, trace, Body::Stored(shape)))
    }
}

/// Rows in the store that nobody has taken over yet. Dropping it erases them.
#[derive(Default)]
pub(super) struct Unclaimed {
    rows: Option<(Store, ResendId)>,
}

impl Unclaimed {
    /// From now on the rows of this resend are among them, if there is a store. There are no others.
    pub(super) fn add(&mut self, store: Option<&Store>, id: ResendId) {
        self.rows = store.map(|store| (store.clone(), id));
    }

    /// Somebody has taken them over.
    pub(super) fn claim(mut self) {
        self.rows = None;
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let Some((store, id)) = self.rows.take() {
            store.erase_later(id);
        }
    }
}
