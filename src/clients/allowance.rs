//! What a client has used of its limits.
//!
//! Addresses a minute are an average: a list is taken whole while the client owes nothing, however long it
//! is, and the next one when the time for it has passed. So a limit never refuses a list for good, and
//! `Retry-After` is the truth.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use thiserror::Error;
use tokio::time::Instant;

use super::Client;
use crate::domain::ClientName;

/// A client has had its addresses of the last while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{per_minute} addresses a minute are this client's limit")]
pub struct OverLimit {
    /// The limit.
    pub per_minute: NonZeroU32,
    /// How long until the next list is taken.
    pub retry_after: Duration,
}

/// What a list has cost its client. Dropping it gives that back: a list that is refused costs nothing.
#[derive(Debug)]
pub struct Charge {
    used: Arc<Allowance>,
    addresses: f64,
}

/// Somebody who calls: a client, and what it has used.
#[derive(Debug, Clone)]
pub struct Caller {
    client: Arc<Client>,
    used: Arc<Allowance>,
}

/// What a client owes. The same for every token and every reading of the file.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    debt: Mutex<Option<Debt>>,
}

#[derive(Debug, Clone, Copy)]
struct Debt {
    addresses: f64,
    at: Instant,
}

impl Caller {
    pub(super) fn new(client: Arc<Client>, used: Arc<Allowance>) -> Self {
        Self { client, used }
    }

    /// Everybody, on a gateway without authentication.
    pub fn anonymous() -> Self {
        Self::new(Arc::new(Client::anonymous()), Arc::default())
    }

    /// Who calls.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The client's name.
    pub fn name(&self) -> &ClientName {
        &self.client.name
    }

    /// Whether a list would be taken now.
    ///
    /// # Errors
    /// When the client owes time for those before.
    pub fn check(&self) -> Result<(), OverLimit> {
        self.charge(0).map(Charge::keep)
    }

    /// Takes so many addresses off the limit.
    ///
    /// # Errors
    /// When the client owes time for those before; nothing is taken then.
    pub fn charge(&self, addresses: u32) -> Result<Charge, OverLimit> {
        let mut charge = Charge { used: Arc::clone(&self.used), addresses: 0.0 };
        let Some(per_minute) = self.client.limits.addresses_per_minute else { return Ok(charge) };
        let now = Instant::now();
        let mut debt = self.used.debt.lock().unwrap_or_else(PoisonError::into_inner);
        let a_second = f64::from(per_minute.get()) / 60.0;
        // Paid off at the rate of now, so that another limit holds at once.
        let owed =
            debt.map_or(0.0, |debt| (debt.addresses - (now - debt.at).as_secs_f64() * a_second).max(0.0));
        // A minute's worth may be had at once.
        let credit = f64::from(per_minute.get());
        if owed >= credit {
            let retry_after = Duration::from_secs_f64((owed - credit) / a_second);
            return Err(OverLimit { per_minute, retry_after: retry_after + Duration::from_millis(1) });
        }
        charge.addresses = addresses.into();
        *debt = Some(Debt { addresses: owed + charge.addresses, at: now });
        Ok(charge)
    }
}

impl Charge {
    /// The list is taken.
    pub fn keep(mut self) {
        self.addresses = 0.0;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.addresses > 0.0 {
            let mut debt = self.used.debt.lock().unwrap_or_else(PoisonError::into_inner);
            *debt = debt.map(|debt| Debt { addresses: debt.addresses - self.addresses, ..debt });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::clients::Limits;

    fn caller(per_minute: u32) -> Caller {
        let limits = Limits { addresses_per_minute: NonZeroU32::new(per_minute), queued_addresses: None };
        Caller::new(Arc::new(Client { limits, ..Client::anonymous() }), Arc::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_minutes_worth_is_had_at_once_and_then_the_rate() {
        let caller = caller(60);
        caller.charge(30).unwrap().keep();
        caller.charge(30).unwrap().keep();

        let over = caller.charge(1).unwrap_err();

        assert!(over.retry_after <= Duration::from_secs(1), "{over:?}");
        advance(over.retry_after).await;
        caller.charge(1).unwrap().keep();
        assert!(caller.check().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_longer_than_the_limit_is_taken_and_its_time_waited_for() {
        let caller = caller(100);
        caller.charge(1000).unwrap().keep();

        let over = caller.check().unwrap_err();

        assert!(over.retry_after.abs_diff(Duration::from_secs(9 * 60)) < Duration::from_secs(1), "{over:?}");
        advance(over.retry_after - Duration::from_secs(1)).await;
        assert!(caller.check().is_err());
        advance(Duration::from_secs(1)).await;
        caller.check().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_owed_is_paid_off_at_the_limit_of_now() {
        let slow = caller(60);
        slow.charge(600).unwrap().keep();
        let limits = Limits { addresses_per_minute: NonZeroU32::new(600), queued_addresses: None };
        let client = Arc::new(Client { limits, ..Client::anonymous() });
        let fast = Caller::new(client, Arc::clone(&slow.used));

        assert!(slow.check().unwrap_err().retry_after > Duration::from_secs(500));

        let over = fast.check().unwrap_err();
        assert!(over.retry_after < Duration::from_secs(1), "{over:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_without_a_limit_is_never_over_it() {
        let caller = Caller::anonymous();
        for _ in 0..10 {
            caller.charge(u32::MAX).unwrap().keep();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_is_refused_after_all_costs_nothing() {
        let caller = caller(100);
        caller.charge(50).unwrap().keep();
        drop(caller.charge(1000).unwrap());

        caller.charge(50).unwrap().keep();

        assert!(caller.check().is_err());
        advance(Duration::from_secs(1)).await;
        caller.check().unwrap();
    }
}
