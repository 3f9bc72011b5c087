#pragma once

#include <span>
#include <string_view>

#include "ops/base/metrics.h"

// Every metric of Hilo: name, type, help, labels with the values they may have. A metric that is
// not here cannot be asked of a Registry; a test reads this list and `promtool check metrics` the
// page it gives.
namespace hilo::metric {

// Around the goals for a person who waits: 5 ms to 10 s.
inline constexpr double kSecondsBuckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                             0.5,   1,    2.5,   5,    10};
// The same with finer steps below, for the way of an event to the screen.
inline constexpr double kFineSecondsBuckets[] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05,
                                                 0.1,    0.25,  0.5,   1,     2.5,  5,     10};

// Label values.
inline constexpr std::string_view kLevelValues[] = {"debug", "info", "warning", "error"};
inline constexpr std::string_view kWebTypeValues[] = {"identify", "track", "page",      "screen",
                                                      "group",    "alias", "cloudevent"};
inline constexpr std::string_view kCallTypeValues[] = {
    "offered",  "routed",         "queued",      "agent_ringing", "agent_failed",
    "answered", "held",           "resumed",     "transferred",   "abandoned",
    "ended",    "wrapup_started", "disposition", "transcript"};
inline constexpr std::string_view kEventOutcomeValues[] = {"accepted", "duplicate", "rejected",
                                                           "unavailable"};
inline constexpr std::string_view kCommandOutcomeValues[] = {
    "applied", "refused", "repeated", "moved", "not_yet", "expired", "outcome_unknown"};
inline constexpr std::string_view kGrpcTypeValues[] = {"unary", "client_stream", "server_stream",
                                                       "bidi_stream"};
inline constexpr std::string_view kGrpcCodeValues[] = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};
inline constexpr std::string_view kOutboundValues[] = {"email", "sms", "web", "call"};
inline constexpr std::string_view kMessageStateValues[] = {
    "decided", "permitted", "sent", "held", "failed", "unknown", "expired", "cancelled", "refused"};
inline constexpr std::string_view kDeliveryValues[] = {"sent", "transient", "permanent", "unknown",
                                                       "not_sent"};
inline constexpr std::string_view kNotLinkedValues[] = {"merge_limit", "weekly_limit"};
inline constexpr std::string_view kOpenRefusedValues[] = {"key_destroyed", "key_unknown",
                                                          "seal_broken", "unavailable"};
inline constexpr std::string_view kCacheResultValues[] = {"shown_again", "brought_up_to_date",
                                                          "rendered"};
inline constexpr std::string_view kAuditRefusedValues[] = {"queue_full", "writer_broken",
                                                           "field_malformed"};
// Codes and routes are constants of the program; the limit only catches a caller that passes on
// what came in.
inline constexpr size_t kCodeLimit = 64;
inline constexpr size_t kRouteLimit = 64;
// Topics are five, plus one a channel; partitions at most 256 (state/types/bucket.h).
inline constexpr size_t kTopicLimit = 32;
inline constexpr size_t kPartitionLimit = 256;

// Sets of labels.
inline constexpr MetricLabel kByLevel[] = {{"level", kLevelValues}};
inline constexpr MetricLabel kByReason[] = {{"reason", {}, kCodeLimit}};
inline constexpr std::string_view kRateKeyValues[] = {"write_key", "address"};
inline constexpr MetricLabel kByRateKey[] = {{"by", kRateKeyValues}};
inline constexpr MetricLabel kByCode[] = {{"code", {}, kCodeLimit}};
inline constexpr MetricLabel kByTopicPartition[] = {{"topic", {}, kTopicLimit},
                                                    {"partition", {}, kPartitionLimit}};
inline constexpr MetricLabel kByRouteStatus[] = {{"route", {}, kRouteLimit},
                                                 {"status", {}, kCodeLimit}};
inline constexpr MetricLabel kByChannelReason[] = {{"channel", kOutboundValues},
                                                   {"reason", {}, kCodeLimit}};
inline constexpr MetricLabel kByChannelStateReason[] = {
    {"channel", kOutboundValues}, {"state", kMessageStateValues}, {"reason", {}, kCodeLimit}};
inline constexpr MetricLabel kByChannelPartition[] = {{"channel", kOutboundValues},
                                                      {"partition", {}, kPartitionLimit}};
inline constexpr MetricLabel kByChannelResult[] = {{"channel", kOutboundValues},
                                                   {"result", kDeliveryValues}};
inline constexpr MetricLabel kByWebTypeOutcome[] = {{"type", kWebTypeValues},
                                                    {"outcome", kEventOutcomeValues}};
inline constexpr MetricLabel kByCallTypeOutcome[] = {{"type", kCallTypeValues},
                                                     {"outcome", kEventOutcomeValues}};
inline constexpr MetricLabel kByCommandOutcome[] = {{"outcome", kCommandOutcomeValues}};
inline constexpr MetricLabel kByGrpcMethod[] = {
    {"grpc_type", kGrpcTypeValues}, {"grpc_service", {}, 32}, {"grpc_method", {}, 128}};
inline constexpr MetricLabel kByGrpcMethodCode[] = {{"grpc_type", kGrpcTypeValues},
                                                    {"grpc_service", {}, 32},
                                                    {"grpc_method", {}, 128},
                                                    {"grpc_code", kGrpcCodeValues}};
// Info metrics hold one series at a time; their limit is that of the values seen in a process's
// life.
inline constexpr MetricLabel kByRevision[] = {{"revision", {}, 4096}};
inline constexpr MetricLabel kByVersion[] = {{"version", {}, 1}};
inline constexpr MetricLabel kByNotLinked[] = {{"limit", kNotLinkedValues}};
inline constexpr MetricLabel kByOpenRefused[] = {{"reason", kOpenRefusedValues}};
inline constexpr MetricLabel kByCacheResult[] = {{"result", kCacheResultValues}};
inline constexpr MetricLabel kByAuditRefused[] = {{"reason", kAuditRefusedValues}};

// The headline.
inline constexpr HistogramMetric kIngestToContext{
    .name = "hilo_serving_ingest_to_context_seconds",
    .help = "From the append of an event to its being visible in the customer's context.",
    .buckets = kFineSecondsBuckets};
inline constexpr CounterMetric kFactsAskedAgain{
    .name = "hilo_facts_asked_again_total",
    .help = "Questions asked of a customer whose answer was on record already."};

// streams/fold, streams/command.
inline constexpr CounterMetric kFoldDeadLetters{.name = "hilo_fold_dead_letters_total",
                                                .help = "Records that a fold refused, by reason.",
                                                .labels = kByReason};
inline constexpr GaugeMetric kFoldPosition{
    .name = "hilo_fold_position",
    .help = "Offset of the record after the last one folded into state.",
    .labels = kByTopicPartition};
inline constexpr GaugeMetric kFoldLagRecords{.name = "hilo_fold_lag_records",
                                             .help = "Records in the log that are not folded yet.",
                                             .labels = kByTopicPartition};
inline constexpr GaugeMetric kFoldLagSeconds{
    .name = "hilo_fold_lag_seconds",
    .help = "Age of the record folded last when there are more to fold, else 0.",
    .labels = kByTopicPartition};
inline constexpr GaugeMetric kFoldOutboxBytes{
    .name = "hilo_fold_outbox_bytes",
    .help = "Emitted records that are not known to be accepted at their target.",
    .labels = kByTopicPartition};
inline constexpr GaugeMetric kFoldLanesStopped{
    .name = "hilo_fold_lanes_stopped",
    .help = "Lanes that stopped because their chain differs; an operator must act."};
inline constexpr GaugeMetric kFoldClosedPartitions{
    .name = "hilo_fold_closed_partitions",
    .help = "Partitions where nothing fires because clocks do not agree."};
inline constexpr GaugeMetric kFoldLogTimeBehind{
    .name = "hilo_fold_log_time_behind_seconds",
    .help = "How far log time lies behind the wall clock; negative when it is ahead.",
    .labels = kByTopicPartition};
inline constexpr CounterMetric kFoldLaneDuplicates{
    .name = "hilo_fold_lane_duplicates_total",
    .help = "Records of a lane that came again and were dropped."};
inline constexpr CounterMetric kFoldLaneOutOfOrder{
    .name = "hilo_fold_lane_out_of_order_total",
    .help = "Records of a lane that came before their predecessor and were dropped."};
inline constexpr CounterMetric kFoldTimersFired{.name = "hilo_fold_timers_fired_total",
                                                .help = "Timers that came due and fired."};
inline constexpr CounterMetric kCommandOutcomes{
    .name = "hilo_command_outcomes_total",
    .help = "Commands by how they ended for their caller.",
    .labels = kByCommandOutcome};
inline constexpr GaugeMetric kCommandWaiters{
    .name = "hilo_command_waiters", .help = "Callers that wait for the outcome of a command."};

// streams/identity.
inline constexpr CounterMetric kIdentityDuplicates{
    .name = "hilo_identity_duplicates_total",
    .help = "Events that came again with the same id and body, and were dropped."};
inline constexpr CounterMetric kIdentityTimeSetBack{
    .name = "hilo_identity_time_set_back_total",
    .help = "Events whose time lay too far ahead and was set back."};
inline constexpr CounterMetric kIdentityCustomers{.name = "hilo_identity_customers_total",
                                                  .help = "Customers who began."};
inline constexpr CounterMetric kIdentityNotLinked{
    .name = "hilo_identity_not_linked_total",
    .help = "Identifiers not bound because their customer is at a limit, by limit.",
    .labels = kByNotLinked};
inline constexpr CounterMetric kIdentityShared{
    .name = "hilo_identity_shared_total",
    .help = "Identifiers that were seen with several known customers and link nobody since."};
inline constexpr CounterMetric kIdentitySuggestions{
    .name = "hilo_identity_suggestions_total",
    .help = "Pairs of customers suggested to be one person."};
inline constexpr CounterMetric kIdentityNotSuggested{
    .name = "hilo_identity_not_suggested_total",
    .help = "Pairs not suggested because one of them has as many suggestions as it may have."};

// state/catalogue.
inline constexpr GaugeMetric kCatalogueRevision{
    .name = "hilo_catalogue_revision_info",
    .help = "The catalogue's revision in force, as a label.",
    .labels = kByRevision};
inline constexpr GaugeMetric kCatalogueLastSwitchSuccess{
    .name = "hilo_catalogue_last_switch_success",
    .help = "1 when the last switch of the catalogue succeeded, else 0."};

// connectors.
inline constexpr CounterMetric kHttpRequests{.name = "hilo_http_requests_total",
                                             .help = "HTTP requests answered, by route and status.",
                                             .labels = kByRouteStatus};
inline constexpr CounterMetric kHttpRefused{
    .name = "hilo_http_refused_total",
    .help = "HTTP requests and connections refused before a route saw them, by code.",
    .labels = kByCode};
inline constexpr GaugeMetric kIntakePending{
    .name = "hilo_kit_pending_events", .help = "Events taken in at the edges and not yet durable."};
inline constexpr CounterMetric kKitRateLimited{
    .name = "hilo_kit_rate_limited_total",
    .help = "Requests of events that were refused because their sender sends too fast.",
    .labels = kByRateKey};
inline constexpr GaugeMetric kKitRateLimitKeys{.name = "hilo_kit_rate_limit_entries",
                                               .help = "Senders whose rate is remembered.",
                                               .labels = kByRateKey};
inline constexpr CounterMetric kWebEvents{.name = "hilo_web_events_total",
                                          .help = "Events from the web by type and outcome.",
                                          .labels = kByWebTypeOutcome};
inline constexpr CounterMetric kWebRejected{
    .name = "hilo_web_rejected_total",
    .help = "Events and batches from the web that were rejected, by code.",
    .labels = kByCode};
inline constexpr CounterMetric kCallEvents{.name = "hilo_callcenter_events_total",
                                           .help = "Call events by type and outcome.",
                                           .labels = kByCallTypeOutcome};
inline constexpr CounterMetric kDecisionsDue{
    .name = "hilo_decide_due_total",
    .help = "Follow-ups that were due, by what was decided: send, or why not.",
    .labels = kByReason};
inline constexpr HistogramMetric kDecisionSeconds{.name = "hilo_decide_seconds",
                                                  .help = "How long a decision for an agent took.",
                                                  .buckets = kFineSecondsBuckets};
inline constexpr CounterMetric kMessages{
    .name = "hilo_customer_messages_total",
    .help =
        "Messages that came to a state, by why: sent, held by an open complaint, refused as a "
        "duplicate, ….",
    .labels = kByChannelStateReason};
inline constexpr CounterMetric kCallRejected{
    .name = "hilo_callcenter_rejected_total",
    .help = "Call events that were rejected, by code, for instance cti_out_of_order.",
    .labels = kByCode};
inline constexpr CounterMetric kDispatchDeliveries{
    .name = "hilo_dispatch_deliveries_total",
    .help = "Attempts that a channel took into its hands, by what came of them.",
    .labels = kByChannelResult};
inline constexpr CounterMetric kDispatchRefused{
    .name = "hilo_dispatch_refused_total",
    .help = "Messages that were not sent, by why, for instance opted_out.",
    .labels = kByChannelReason};
inline constexpr GaugeMetric kDispatchLag{
    .name = "hilo_dispatch_lag_records",
    .help = "Messages of a partition whose fate is not settled yet.",
    .labels = kByChannelPartition};
inline constexpr CounterMetric kEmailUnsubscribed{
    .name = "hilo_email_unsubscribed_total",
    .help = "Withdrawals by the link in a mail that are in force."};
inline constexpr CounterMetric kGrpcHandled{.name = "grpc_server_handled_total",
                                            .help = "Calls completed on the server, by code.",
                                            .labels = kByGrpcMethodCode};
inline constexpr HistogramMetric kGrpcHandlingSeconds{.name = "grpc_server_handling_seconds",
                                                      .help = "How long a call took on the server.",
                                                      .labels = kByGrpcMethod,
                                                      .buckets = kFineSecondsBuckets};
inline constexpr GaugeMetric kStreamSubscribers{.name = "hilo_serving_stream_subscribers",
                                                .help = "Live streams that are open."};
inline constexpr CounterMetric kStreamResyncs{
    .name = "hilo_serving_stream_resyncs_total",
    .help = "Live streams that were told to begin again with a snapshot."};
inline constexpr CounterMetric kViews{
    .name = "hilo_serving_views_total",
    .help = "Views of a customer that were audited and answered."};
inline constexpr CounterMetric kContextCacheReads{
    .name = "hilo_serving_context_cache_reads_total",
    .help =
        "Reads of a customer, by whether what was kept was shown again, brought up to date, or "
        "rendered anew.",
    .labels = kByCacheResult};
inline constexpr GaugeMetric kContextCacheBytes{
    .name = "hilo_serving_context_cache_bytes",
    .help = "Memory of rendered customers that are kept; everything in it is wiped when it goes."};
inline constexpr CounterMetric kContextCacheErased{
    .name = "hilo_serving_context_cache_erased_total",
    .help = "Rendered customers that were wiped as a key of theirs was destroyed."};

// ops/keys.
inline constexpr CounterMetric kKeysCreated{.name = "hilo_keys_created_total",
                                            .help = "Keys of subjects created."};
inline constexpr CounterMetric kKeysDestroyed{.name = "hilo_keys_destroyed_total",
                                              .help = "Keys of subjects destroyed."};
inline constexpr CounterMetric kKeysCacheMisses{
    .name = "hilo_keys_cache_misses_total",
    .help = "Keys that had to be read from the key store's files."};
inline constexpr GaugeMetric kKeysCached{.name = "hilo_keys_cached",
                                         .help = "Opened keys held in locked memory."};
inline constexpr CounterMetric kKeysOpenRefused{
    .name = "hilo_keys_open_refused_total",
    .help = "Sealed values that could not be opened, by reason.",
    .labels = kByOpenRefused};

// ops/audit.
inline constexpr CounterMetric kAuditEntries{.name = "hilo_audit_entries_total",
                                             .help = "Entries taken into the audit."};
inline constexpr CounterMetric kAuditRefused{
    .name = "hilo_audit_refused_total",
    .help = "Entries that the audit could not take, so that their call was refused, by reason.",
    .labels = kByAuditRefused};
inline constexpr GaugeMetric kAuditQueued{.name = "hilo_audit_queued_entries",
                                          .help = "Entries taken that are not on disk yet."};

// ops/base.
inline constexpr CounterMetric kLogLines{.name = "hilo_base_log_lines_total",
                                         .help = "Log lines by level, suppressed ones included.",
                                         .labels = kByLevel};
inline constexpr CounterMetric kLogLinesSuppressed{
    .name = "hilo_base_log_lines_suppressed_total",
    .help = "Log lines not written because the same message came too often."};
inline constexpr CounterMetric kLogLinesLost{.name = "hilo_base_log_lines_lost_total",
                                             .help = "Log lines that could not be written."};
inline constexpr GaugeMetric kBuildInfo{
    .name = "hilo_build_info", .help = "The version that runs, as a label.", .labels = kByVersion};

// The process, as every dashboard knows it; read when the page is asked for.
inline constexpr GaugeMetric kProcessStartTime{
    .name = "process_start_time_seconds",
    .help = "Start time of the process since the Unix epoch."};
inline constexpr CounterMetric kProcessCpu{.name = "process_cpu_seconds_total",
                                           .help = "User and system CPU time spent."};
inline constexpr GaugeMetric kProcessResidentMemory{.name = "process_resident_memory_bytes",
                                                    .help = "Resident memory size."};
inline constexpr GaugeMetric kProcessVirtualMemory{.name = "process_virtual_memory_bytes",
                                                   .help = "Virtual memory size."};
inline constexpr GaugeMetric kProcessOpenFds{.name = "process_open_fds",
                                             .help = "Open file descriptors."};
inline constexpr GaugeMetric kProcessMaxFds{
    .name = "process_max_fds", .help = "How many file descriptors the process may open."};

// The embedded log.
inline constexpr HistogramMetric kLogCommitSeconds{
    .name = "hilo_log_commit_seconds",
    .help = "Time to write and fsync one commit of the embedded log, all partitions together.",
    .buckets = kFineSecondsBuckets};
inline constexpr CounterMetric kLogRecords{.name = "hilo_log_records_total",
                                           .help = "Records that the embedded log made durable."};
inline constexpr GaugeMetric kLogPendingBytes{
    .name = "hilo_log_pending_bytes",
    .help = "Appended to the embedded log and not yet durable; at 64 MiB appends are refused."};
inline constexpr GaugeMetric kLogTailCacheBytes{
    .name = "hilo_log_tail_cache_bytes",
    .help = "Newest records that the embedded log serves from memory."};
inline constexpr CounterMetric kLogDiskReads{
    .name = "hilo_log_disk_reads_total",
    .help = "Reads that the embedded log's tail cache could not serve: a reader is behind."};
inline constexpr CounterMetric kLogAppendsRefused{
    .name = "hilo_log_appends_refused_total",
    .help = "Appends that the embedded log did not take or could not make durable, by reason.",
    .labels = kByReason};

inline constexpr AnyMetric kAll[] = {
    kLogCommitSeconds,
    kLogRecords,
    kLogPendingBytes,
    kLogTailCacheBytes,
    kLogDiskReads,
    kLogAppendsRefused,
    kIngestToContext,
    kFactsAskedAgain,
    kFoldDeadLetters,
    kFoldPosition,
    kFoldLagRecords,
    kFoldLagSeconds,
    kFoldOutboxBytes,
    kFoldLanesStopped,
    kFoldClosedPartitions,
    kFoldLogTimeBehind,
    kFoldLaneDuplicates,
    kFoldLaneOutOfOrder,
    kFoldTimersFired,
    kCommandOutcomes,
    kCommandWaiters,
    kIdentityDuplicates,
    kIdentityTimeSetBack,
    kIdentityCustomers,
    kIdentityNotLinked,
    kIdentityShared,
    kIdentitySuggestions,
    kIdentityNotSuggested,
    kCatalogueRevision,
    kCatalogueLastSwitchSuccess,
    kIntakePending,
    kKitRateLimited,
    kKitRateLimitKeys,
    kHttpRequests,
    kHttpRefused,
    kWebEvents,
    kWebRejected,
    kCallEvents,
    kDecisionsDue,
    kDecisionSeconds,
    kMessages,
    kCallRejected,
    kDispatchDeliveries,
    kDispatchRefused,
    kDispatchLag,
    kEmailUnsubscribed,
    kGrpcHandled,
    kGrpcHandlingSeconds,
    kStreamSubscribers,
    kStreamResyncs,
    kViews,
    kContextCacheReads,
    kContextCacheBytes,
    kContextCacheErased,
    kKeysCreated,
    kKeysDestroyed,
    kKeysCacheMisses,
    kKeysCached,
    kKeysOpenRefused,
    kAuditEntries,
    kAuditRefused,
    kAuditQueued,
    kLogLines,
    kLogLinesSuppressed,
    kLogLinesLost,
    kBuildInfo,
    kProcessStartTime,
    kProcessCpu,
    kProcessResidentMemory,
    kProcessVirtualMemory,
    kProcessOpenFds,
    kProcessMaxFds,
};

}  // namespace hilo::metric
