//! Every metric name of the lab, exactly as a scrape shows it, suffixes included.
//!
//! Dashboards, rules and the scaler's sources read these names, so a name changes here or nowhere.

macro_rules! names {
    ($($(#[$doc:meta])* $constant:ident = $name:literal;)*) => {
        $($(#[$doc])* pub const $constant: &str = $name;)*

        /// Every name of this module, for the tests that compare dashboards and rules with it.
        pub const ALL: &[&str] = &[$($constant),*];
    };
}

names! {
    /// Mean response time of the jobs completed in the last 5 s; seconds, 0 when there were none.
    WEBAPP_RESPONSE_TIME_SECONDS = "webapp_response_time_seconds";
    /// Jobs completed in the last 5 s.
    WEBAPP_REQUEST_COUNT = "webapp_request_count";
    /// Jobs that arrived since the start: completed, failed, refused or still inside.
    WEBAPP_TOTAL_REQUESTS = "webapp_total_requests";
    /// Response time of admitted and completed jobs, by `origin`; seconds.
    WEBAPP_REQUEST_DURATION_SECONDS = "webapp_request_duration_seconds";
    /// Version, role and id of the replica, as labels; always 1.
    WEBAPP_INFO = "webapp_info";
    /// 1 while the replica is ready, 0 while it is not.
    WEBAPP_HEALTH_STATUS = "webapp_health_status";
    /// The service's load factor as this replica knows it.
    WEBAPP_LOAD_FACTOR = "webapp_load_factor";
    /// Jobs waiting for a worker.
    WEBAPP_QUEUE_DEPTH = "webapp_queue_depth";
    /// Jobs that may wait before further ones are refused.
    WEBAPP_QUEUE_CAPACITY = "webapp_queue_capacity";
    /// Workers that serve a job at this moment.
    WEBAPP_WORKERS_BUSY = "webapp_workers_busy";
    /// Workers of the replica.
    WEBAPP_WORKERS = "webapp_workers";
    /// Time that workers have been busy, summed over the workers; seconds. Its rate divided by the number of
    /// workers is the utilisation, without the noise of looking at single moments.
    WEBAPP_WORKERS_BUSY_SECONDS_TOTAL = "webapp_workers_busy_seconds_total";
    /// Jobs refused because the queue was full, by `origin`.
    WEBAPP_REFUSED_TOTAL = "webapp_refused_total";
    /// Jobs that were served and failed, by `origin`.
    WEBAPP_ERRORS_TOTAL = "webapp_errors_total";
    /// Time that the switched-on fault `latency` adds to each service time; 0 while it is off.
    WEBAPP_FAULT_LATENCY_SECONDS = "webapp_fault_latency_seconds";
    /// Share of jobs that the switched-on fault `errors` lets fail; 0 while it is off.
    WEBAPP_FAULT_ERROR_RATIO = "webapp_fault_error_ratio";
    /// 1 while the fault `unready` is switched on.
    WEBAPP_FAULT_UNREADY = "webapp_fault_unready";
    /// Time a job waited for a connection of the dependency pool; seconds.
    WEBAPP_DEPENDENCY_WAIT_SECONDS = "webapp_dependency_wait_seconds";
    /// Time of a call to the dependency, without the wait for a connection, by `result`; seconds.
    WEBAPP_DEPENDENCY_DURATION_SECONDS = "webapp_dependency_duration_seconds";
    /// Connections of the dependency pool that are in use.
    WEBAPP_DEPENDENCY_CONNECTIONS_BUSY = "webapp_dependency_connections_busy";
    /// Connections of the dependency pool.
    WEBAPP_DEPENDENCY_CONNECTIONS = "webapp_dependency_connections";
    /// Peers that answered the last pull and are ready, this replica included.
    WEBAPP_PEERS_READY = "webapp_peers_ready";
    /// Orders placed and purchases made.
    ORDERS_TOTAL = "orders_total";
    /// Value of an order or purchase; dollars.
    ORDER_VALUE_DOLLARS = "order_value_dollars";

    /// Duration of real HTTP requests, probes and `/metrics` excepted, by method, route and status code, as
    /// OpenTelemetry's `http.server.request.duration`; seconds.
    HTTP_SERVER_REQUEST_DURATION_SECONDS = "http_server_request_duration_seconds";

    /// CPU time used by the process, user and system; seconds.
    PROCESS_CPU_SECONDS_TOTAL = "process_cpu_seconds_total";
    /// Resident memory; bytes.
    PROCESS_RESIDENT_MEMORY_BYTES = "process_resident_memory_bytes";
    /// Virtual memory; bytes.
    PROCESS_VIRTUAL_MEMORY_BYTES = "process_virtual_memory_bytes";
    /// Open file descriptors.
    PROCESS_OPEN_FDS = "process_open_fds";
    /// File descriptors that may be open.
    PROCESS_MAX_FDS = "process_max_fds";
    /// Start of the process; seconds since the Unix epoch.
    PROCESS_START_TIME_SECONDS = "process_start_time_seconds";

    /// Requests answered by the gateway, by status class.
    GATEWAY_REQUESTS_TOTAL = "gateway_requests_total";
    /// Time from a request's arrival at the gateway to the head of its response; seconds.
    GATEWAY_REQUEST_DURATION_SECONDS = "gateway_request_duration_seconds";
    /// Requests that were sent a second time, to another endpoint.
    GATEWAY_RETRIES_TOTAL = "gateway_retries_total";
    /// Requests that were sent a second time to the same endpoint, because a kept connection ended under them.
    GATEWAY_RECONNECTS_TOTAL = "gateway_reconnects_total";
    /// Answers 503 with `Retry-After`, passed on as the service's honest refusal.
    GATEWAY_REFUSED_TOTAL = "gateway_refused_total";
    /// Requests answered 429, by `scope`: the service's limit or the client's.
    GATEWAY_THROTTLED_TOTAL = "gateway_throttled_total";
    /// Requests answered 503 because no endpoint was in rotation in time, or too many waited for one.
    GATEWAY_NO_ENDPOINT_TOTAL = "gateway_no_endpoint_total";
    /// Requests that wait for an endpoint to come into rotation; they are in flight to none.
    GATEWAY_WAITING_REQUESTS = "gateway_waiting_requests";
    /// Endpoints by `state`.
    GATEWAY_ENDPOINTS = "gateway_endpoints";
    /// Requests in flight to an endpoint.
    GATEWAY_ENDPOINT_IN_FLIGHT = "gateway_endpoint_in_flight";
    /// Peak EWMA of an endpoint's latency; seconds.
    GATEWAY_ENDPOINT_EWMA_SECONDS = "gateway_endpoint_ewma_seconds";
    /// Endpoints taken out of rotation for their failures.
    GATEWAY_EJECTIONS_TOTAL = "gateway_ejections_total";
    /// Connections to endpoints that are open.
    GATEWAY_UPSTREAM_CONNECTIONS = "gateway_upstream_connections";
    /// Look-ups of the service's name that failed.
    GATEWAY_DISCOVERY_ERRORS_TOTAL = "gateway_discovery_errors_total";

    /// Replicas that the scaler wants.
    SCALER_DESIRED_REPLICAS = "scaler_desired_replicas";
    /// Replicas that exist.
    SCALER_CURRENT_REPLICAS = "scaler_current_replicas";
    /// Replicas that are ready.
    SCALER_READY_REPLICAS = "scaler_ready_replicas";
    /// Fewest replicas allowed.
    SCALER_MIN_REPLICAS = "scaler_min_replicas";
    /// Most replicas allowed.
    SCALER_MAX_REPLICAS = "scaler_max_replicas";
    /// Values of a `signal` at which the policy acts in a `direction` (`up` above it, `down` below it), in the
    /// signal's own unit; a policy without such lines has no series.
    SCALER_THRESHOLD = "scaler_threshold";
    /// Decisions by `action` and `reason` (its code).
    SCALER_DECISIONS_TOTAL = "scaler_decisions_total";
    /// Decisions that a limit changed, by `limit`.
    SCALER_LIMITED_TOTAL = "scaler_limited_total";
    /// Last value of each `signal`, in the signal's own unit.
    SCALER_SIGNAL_VALUE = "scaler_signal_value";
    /// Age of the last value of each `signal`; seconds.
    SCALER_SIGNAL_AGE_SECONDS = "scaler_signal_age_seconds";
    /// Requests for signals by `result`: one to each replica, or the queries to Prometheus, as the source is.
    SCALER_SCRAPES_TOTAL = "scaler_scrapes_total";
    /// Time from a look's first request for signals to its last answer; seconds.
    SCALER_SCRAPE_DURATION_SECONDS = "scaler_scrape_duration_seconds";
    /// Time until the actuator's count was read back, by `result`; seconds.
    SCALER_ACTUATOR_DURATION_SECONDS = "scaler_actuator_duration_seconds";
    /// Actions that the actuator could not carry out.
    SCALER_ACTUATOR_ERRORS_TOTAL = "scaler_actuator_errors_total";
    /// 1 while the scaler is paused.
    SCALER_PAUSED = "scaler_paused";

    /// Virtual users that act; 0 for a load that is given as a rate.
    LOADGEN_USERS = "loadgen_users";
    /// Requests that were due: of users when they act, of a rate at their intended start, sent in time or not.
    LOADGEN_SCHEDULED_TOTAL = "loadgen_scheduled_total";
    /// Requests that were sent.
    LOADGEN_SENT_TOTAL = "loadgen_sent_total";
    /// Requests that ended, by `result`: `ok`, `refused` (503 with `Retry-After`), or the kind of failure.
    LOADGEN_REQUESTS_TOTAL = "loadgen_requests_total";
    /// Time from a request's intended start, which for a user is the sending, to the last byte of its answer;
    /// refusals and requests without an answer have none; seconds.
    LOADGEN_REQUEST_DURATION_SECONDS = "loadgen_request_duration_seconds";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn names_are_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for name in ALL {
            assert!(seen.insert(name), "`{name}` is listed twice");
            assert!(
                name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "`{name}` has a character that a metric name of the lab does not use"
            );
        }
    }
}
