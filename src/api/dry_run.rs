//! `POST /v1/resends?dry_run=true`: the answer that says what would happen, and makes nothing happen.
//!
//! A dry run is the same request with one word more. So what has no meaning for it, the wait and
//! `on_timeout`, is read as strictly as ever and has no effect. It has no id: nothing is kept to ask for.

use actix_web::{HttpResponse, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    openapi::words,
    pages::{Pages, Rows},
    problem::Problem,
    query::Results,
    render::{HoldBody, RowBody, plan_row, time, would_hold},
    resends::Wishes,
    routes::ApiState,
};
use crate::{
    clients::Caller,
    domain::{Outcome, Status},
    resends::{Draft, Plan, ReadError},
};

/// Rows looked at at once.
const PAGE: u32 = 1000;

/// What would become of a list, without its results. Nothing was sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(super) struct PlanBody<'a> {
    #[schema(schema_with = words::yes)]
    dry_run: bool,
    #[schema(schema_with = words::finished)]
    status: &'static str,
    client: &'a str,
    #[schema(format = DateTime)]
    created_at: String,
    counts: PlanCountsBody,
    upstream_calls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Not there before the first call, and while work is held.
    #[schema(nullable = false)]
    estimated_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hold: Option<HoldBody>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    sandbox: bool,
}

/// How many addresses would come to which end.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PlanCounts)]
pub(super) struct PlanCountsBody {
    received: u64,
    would_send: u64,
    duplicate: u64,
    invalid: u64,
    unknown: u64,
}

/// The rows of a plan that are wanted.
struct Planned {
    plan: Plan,
    problems_only: bool,
    next: u32,
}

/// Answers the list that `draft` has read.
pub(super) async fn answer(
    state: &Data<ApiState>,
    caller: &Caller,
    draft: Draft,
    wishes: &Wishes,
) -> Result<HttpResponse, Problem> {
    let plan = state.resends.plan(draft, caller.name(), wishes.force).await;
    let plan = plan
        .map_err(|error| Problem::draft(&error, state.resends.retry_after()))?
        .map_err(|error| Problem::seal(&error, state.resends.retry_after()))?;
    let body = body(state, caller, &plan);
    let mut response = HttpResponse::Ok();
    let problems_only = match wishes.results {
        Results::None => return Ok(response.json(body)),
        Results::All => false,
        Results::Problems => true,
    };
    Pages::answer_in(Planned { plan, problems_only, next: 0 }, &body, response).await
}

fn body<'a>(state: &ApiState, caller: &'a Caller, plan: &Plan) -> PlanBody<'a> {
    let counts = plan.counts;
    // Rounded up: a call is never foretold to take no time.
    let estimate = plan.view.estimate_of_newcomer(caller.name().tag(), plan.upstream_calls);
    let millis = estimate.map(|estimate| estimate.as_nanos().div_ceil(1_000_000));
    let hold = plan.view.holds.first().filter(|_| plan.upstream_calls > 0);
    PlanBody {
        dry_run: true,
        status: Status::Finished.as_str(),
        client: caller.name().as_str(),
        created_at: time(plan.created_at),
        counts: PlanCountsBody {
            received: counts.received,
            would_send: counts.would_send,
            duplicate: counts.duplicate,
            invalid: counts.invalid,
            unknown: counts.unknown,
        },
        upstream_calls: plan.upstream_calls,
        estimated_seconds: millis.map(|millis| millis as f64 / 1000.0),
        hold: hold.map(|hold| would_hold(hold, counts.would_send)),
        sandbox: state.sandbox,
    }
}

impl Rows for Planned {
    fn len(&self) -> u32 {
        self.plan.len()
    }

    async fn read(&mut self, take: &mut dyn FnMut(&RowBody<'_>)) -> Result<bool, ReadError> {
        for row in self.plan.rows(self.next, PAGE) {
            let is_fine = matches!(row.outcome, None | Some(Outcome::Duplicate(_)));
            if !(self.problems_only && is_fine) {
                take(&plan_row(&row));
            }
        }
        self.next = self.next.saturating_add(PAGE).min(self.plan.len());
        Ok(self.next < self.plan.len())
    }
}
