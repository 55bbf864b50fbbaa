"""What is done with each object, in whatever process, and what a job tells about its workers."""
