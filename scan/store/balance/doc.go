// Package balance chooses among targets that serve the same requests: the endpoints of a store, and the addresses of a
// host name.
//
//   - Target: one endpoint or one address. A target is identified by a comparable key.
//   - Load: the connections to a target, divided by the target's share.
//   - Share: the fraction of an even part of all connections that a target should have, from 1/16 to 1.
//
// A Balancer counts the connections to each target and lowers the share of a slow target. A RefusalTracker finds a
// target that refuses every request while other targets answer. A Dialer resolves a host name and connects to the
// host's addresses in the order that its Balancer gives.
package balance

import "time"

// Cooldown is how long a target is avoided after it could not be reached, or after it alone refused every request. A
// failover of an address to another machine takes about as long.
const Cooldown = 30 * time.Second
