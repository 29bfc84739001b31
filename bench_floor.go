package main

import (
	"encoding/json"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/engines"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
)

// floorCommand is what bench engines runs in a process of its own. Nobody else has a use for it, so it is hidden.
func floorCommand() *cli.Command {
	return &cli.Command{
		Name:   "floor",
		Usage:  "send the same HEAD again and again",
		Hidden: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "url", Usage: "`URL` of an object that exists, of a store that verifies no signature"},
			&cli.IntFlag{Name: "connections", Usage: "`N` connections, each with one request in flight"},
			&cli.Int64Flag{Name: "requests", Usage: "`N` requests in all"},
			&cli.GenericFlag{Name: "ca-bundle", Value: command.CABundle(), Usage: "trust the certificate authorities in this PEM `FILE`"},
		},
		Action: func(c *cli.Context) error {
			cfg, err := parseFloor(c)
			if err != nil {
				return err
			}
			account, err := engines.Floor(c.Context, cfg)
			if err != nil {
				return err
			}
			return scan.WrapOutput(json.NewEncoder(c.App.Writer).Encode(account))
		},
	}
}

func parseFloor(c *cli.Context) (engines.FloorConfig, error) {
	cfg := engines.FloorConfig{
		URL: c.String("url"), Connections: c.Int("connections"), Requests: c.Int64("requests"), CABundle: command.Get[string](c, "ca-bundle"),
	}
	switch {
	case c.NArg() > 0:
		return cfg, exit.Usagef("headcount bench floor --help", "bench floor takes no arguments, and %q is one", c.Args().First())
	case !strings.HasPrefix(cfg.URL, "http"):
		return cfg, exit.Usagef("--url http://HOST:PORT/BUCKET/KEY", "bench floor needs the URL of an object")
	case cfg.Connections < 1 || cfg.Requests < 1:
		return cfg, exit.Usagef("--connections 64 --requests 200000", "bench floor needs to know how many connections and requests")
	}
	return cfg, nil
}
