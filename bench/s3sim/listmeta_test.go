package s3sim

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// listedMetadata sends one LIST. It returns the metadata by key, as a client has to decode it, and the Server header.
func listedMetadata(t *testing.T, s *Server, query string) (map[string]map[string]string, string) {
	t.Helper()
	c := newConn(s, nil, 1)
	if _, err := c.req.parse([]byte("GET /demo?" + query + " HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	c.respond(&c.req)
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(c.out)), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var page struct {
		Contents []struct {
			Key          string
			UserMetadata *struct {
				Items []struct {
					XMLName xml.Name
					Value   string `xml:",chardata"`
				} `xml:",any"`
			}
		}
	}
	if err := xml.Unmarshal(body, &page); err != nil {
		t.Fatal(err)
	}
	metadata := map[string]map[string]string{}
	for _, o := range page.Contents {
		if o.UserMetadata == nil {
			continue
		}
		metadata[o.Key] = map[string]string{}
		for _, item := range o.UserMetadata.Items {
			if name, is := strings.CutPrefix(strings.ToLower(item.XMLName.Local), metaPrefix); is {
				metadata[o.Key][name] = item.Value
			}
		}
	}
	return metadata, response.Header.Get("Server")
}

func TestListMetadata(t *testing.T) {
	s, err := New(Options{Objects: 500, Shape: Nasty, XMLSafe: true, ListMetadata: true, ListMetadataWrongFrom: 400})
	if err != nil {
		t.Fatal(err)
	}
	got, server := listedMetadata(t, s, "list-type=2&metadata=true")
	if server != "MinIO" {
		t.Errorf("Server: %s", server)
	}
	wrong := 0
	for i := range s.Keyspace().Len() {
		key := s.Keyspace().Key(i)
		o := s.Object(key)
		listed, given := got[string(key)]
		if given != (o.MissingMeta() == 0) {
			t.Fatalf("%q: metadata listed: %v", key, given)
		}
		want := o.Metadata()
		if latin1, has := want["latin1"]; has {
			want["latin1"] = strings.ToValidUTF8(latin1, "\ufffd\ufffd") // XML cannot represent it
		}
		if same := reflect.DeepEqual(listed, want); given && !same {
			wrong++
			if i+1 < 400 {
				t.Fatalf("%q: %q, want %q", key, listed, want)
			}
		} else if given && i+1 >= 400 && !o.WithoutMetadata() {
			t.Fatalf("%q: the metadata is right", key)
		}
	}
	if wrong == 0 {
		t.Error("no metadata is wrong")
	}
	for _, query := range []string{"list-type=2", "list-type=2&metadata=false", "metadata=true"} {
		if got, _ := listedMetadata(t, s, query); len(got) > 0 {
			t.Errorf("%s lists the metadata of %d objects", query, len(got))
		}
	}
	plain, err := New(Options{Objects: 5})
	if err != nil {
		t.Fatal(err)
	}
	if got, server := listedMetadata(t, plain, "list-type=2&metadata=true"); len(got) > 0 || server != "s3sim" {
		t.Errorf("without ListMetadata, %s lists the metadata of %d objects", server, len(got))
	}
	for _, o := range []Options{{ListMetadataWrongFrom: 1}, {ListMetadata: true, ListMetadataWrongFrom: -1}} {
		if _, err := New(o); err == nil {
			t.Errorf("New accepts %+v", o)
		}
	}
}
