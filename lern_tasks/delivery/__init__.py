"""What happens to a message around a job; knows no job. See docs/architecture.md, "Delivery".

In reading order: task, batch, record, settlement; locked_groups, locks; retry_policy, outage; handoff, task_sender;
dead_letter, failure, parked_messages; delivery_counter, idempotency; resources; transport; resumable.
"""
