package command

// Limits of the values of flags. Beyond them a typing error is more likely than a machine or a store that can do it.
const (
	WorkersMax  = 16384 // each worker has a connection
	ListersMax  = 1024
	RateMax     = 1_000_000_000 // requests per second
	PipelineMax = 128           // requests of 500 bytes fill the read buffers of servers, 64 KiB
)
