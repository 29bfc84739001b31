package cli

import (
	"net"

	"headcount/bench/s3sim"
)

const (
	demoBucket  = "demo"
	demoObjects = 10_000 // a scan of them takes less than a second
)

// demo is the embedded store of --demo.
type demo struct {
	*s3sim.Server
	url string
}

// startDemo serves a synthetic bucket on the loopback interface until Close.
func startDemo() (*demo, error) {
	server, err := s3sim.New(s3sim.Options{
		Bucket: demoBucket, Objects: demoObjects, Shape: s3sim.Dated, Attributes: true,
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = server.Serve(listener) }() // it ends with Close, and then returns nil
	return &demo{Server: server, url: "http://" + listener.Addr().String()}, nil
}
