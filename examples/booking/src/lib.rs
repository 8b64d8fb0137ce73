//! The booking service's handler: returns a booking by its code, or the reason why there is none.

mod contracts {
    twyla_runtime::include_contracts!();
}

use std::collections::BTreeMap;
use std::sync::Arc;

use contracts::rpc::navitaire_api::{GetBookingError, GetBookingErrorReason, GetBookingRequest};
use contracts::shared::{Booking, BookingFlightsItem};
use twyla_runtime::{Rpcs, State, rpc, rpcs};

/// The existing bookings by code; `None` for a cancelled one.
#[derive(Clone)]
pub struct Bookings(Arc<BTreeMap<&'static str, Option<Booking>>>);

impl Bookings {
    /// The demo's bookings: `A1324B` and `ZZ9PLR`, and the cancelled `GONE99`.
    #[must_use]
    pub fn demo() -> Self {
        let flight = |number: &str, from: &str, to: &str, departs: &str| {
            // a flight whose time is invalid is left out
            departs.parse().ok().map(|departs| BookingFlightsItem::new(departs, from, number, to))
        };
        let booking = |code: &str, passengers: &[&str], flights: Vec<Option<BookingFlightsItem>>, price| {
            let passengers = passengers.iter().map(|name| (*name).to_owned()).collect();
            Booking { price: Some(price), ..Booking::new(flights.into_iter().flatten().collect(), passengers, code) }
        };
        let lisbon = vec![
            flight("TW512", "BER", "LIS", "2026-05-04T08:15:00+02:00"),
            flight("TW513", "LIS", "BER", "2026-05-11T17:40:00+01:00"),
        ];
        let far = vec![flight("TW42", "LIS", "OSL", "2026-06-01T12:00:00+01:00")];
        Self(Arc::new(BTreeMap::from([
            ("A1324B", Some(booking("A1324B", &["Ada Lovelace", "Charles Babbage"], lisbon, 31_880))),
            ("ZZ9PLR", Some(booking("ZZ9PLR", &["Grace Hopper"], far, 9_900))),
            ("GONE99", None),
        ])))
    }
}

/// The service's handlers.
#[must_use]
pub fn rpcs() -> Rpcs {
    rpcs![get_booking]
}

/// Looks a booking up by its code.
#[rpc("navitaire-api.get_booking", deadline = "2s")]
async fn get_booking(request: GetBookingRequest, State(bookings): State<Bookings>) -> Result<Booking, GetBookingError> {
    let GetBookingRequest { pnr } = request;
    match bookings.0.get(pnr.as_str()) {
        Some(Some(booking)) => Ok(booking.clone()),
        Some(None) => Err(GetBookingError::new(format!("{pnr} was cancelled"), GetBookingErrorReason::Cancelled)),
        None => Err(GetBookingError::new(format!("there is no booking {pnr}"), GetBookingErrorReason::NotFound)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_a_function_that_a_test_can_call() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let get = |pnr: &str| runtime.block_on(get_booking(GetBookingRequest::new(pnr), State(Bookings::demo())));
        let booking = get("A1324B").unwrap();
        assert_eq!((booking.passengers.len(), booking.flights.len()), (2, 2));
        assert_eq!(get("GONE99").unwrap_err().reason, GetBookingErrorReason::Cancelled);
        assert_eq!(get("AAAAAA").unwrap_err().reason, GetBookingErrorReason::NotFound);
    }
}
