package store

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A pinned request goes to the IP address that it is pinned to, whatever the endpoint's name stands for. An idle
// connection to another address is not used for it.
func TestPinned(t *testing.T) {
	var hosts [2]string
	var servers [2]*Address
	for i := range servers {
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hosts[i] += r.Host + " " }))
		t.Cleanup(server.Close)
		servers[i] = &Address{IP: netip.MustParseAddrPort(server.Listener.Addr().String())}
	}
	s, err := configured(t, Config{Endpoints: []string{"http://store.invalid:9000"}, Anonymous: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := s.NewPinned()
	t.Cleanup(p.Close)
	for _, i := range []int{0, 0, 1, 0} {
		_, err := s.Endpoint(0).Client.DeleteObject(
			t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("b"), Key: aws.String("k")}, p.To(servers[i]))
		if err != nil {
			t.Fatal(err)
		}
	}
	const host = "store.invalid:9000 "
	if hosts != [2]string{host + host + host, host} {
		t.Errorf("%q", hosts)
	}
}
