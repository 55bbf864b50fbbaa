"""The AWS Lambda functions of a labeling job, between the wire and the pipeline.

Nothing is imported here: the kernel cache must be in place before the first import of numba.

=============  ===================================================================================
`settings`     configuration by the environment
`consolidate`  an event's payload, object by object: masks to S3, the response to Ground Truth
`task`         an object's task for the workers
`labels`       where the job's classes come from
`layout`       where everything lies on S3, and what may be touched there
`statistics`   what the job tells about its workers, added up over its payloads
`access`       S3 clients that give up in time, and with whose credentials
`deadline`     how much time is left
`response`     what Ground Truth gets back, and its limits
`logs`         JSON lines and metrics
=============  ===================================================================================
"""
