// Package metrics counts what a scan did: the Outcomes of its objects, its requests and their latencies, and what limited its speed.
package metrics
