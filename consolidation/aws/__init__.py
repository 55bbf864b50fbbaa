"""The AWS Lambda functions of a labeling job, between the wire and the pipeline.

Nothing is imported here: the kernel cache must be in place before the first import of numba.

==============  ==================================================================================
`settings`      configuration by the environment
`invocation`    an event's payload consolidated: masks to S3, the response to Ground Truth
`batch`         the work on it, object by object
`task`          an object's task for the workers
`labels`        where the job's classes come from
`layout`        where everything lies on S3, and what may be touched there
`payload`       the objects of a payload, their annotations fetched
`statistics`    what the job tells about its workers, added up over its payloads
`record`        what is written down about how an object was decided
`response`      what Ground Truth gets back, and its limits
`access`        clients that give up in time, and with whose rights
`deadline`      how much time is left, and how much an object will need
`memory`        memory for masks, given while there is time
`logs`          JSON lines and metrics
`kernel_cache`  kernels compiled when the image was built
==============  ==================================================================================
"""
