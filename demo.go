package main

import (
	"net"

	"headcount/bench/s3sim"
)

const (
	demoBucket  = "demo"
	demoObjects = 10_000 // read within the second in which one looks at it
)

// demo is the store of scan --demo.
type demo struct {
	*s3sim.Server
	url string
}

// startDemo serves a synthetic bucket on the loopback interface until Close.
func startDemo() (*demo, error) {
	server, err := s3sim.New(s3sim.Options{Bucket: demoBucket, Objects: demoObjects, Shape: s3sim.Dated})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = server.Serve(listener) }() // it returns nil after Close, and nothing else ends it
	return &demo{Server: server, url: "http://" + listener.Addr().String()}, nil
}
