package store

import (
	"net/http"

	"headcount/scan/fault"
)

// RegionAnswer is what an answer shows about the region that its request was signed for.
type RegionAnswer struct {
	SignedFor string
	Named     string // the region of the bucket, as the answer says; empty: it does not
	Status    int    // 0: there was no answer
	Code      string // of S3; empty: none, as in the answer to a HEAD
}

// IsWrong reports whether the answer refuses the request for its region, and names another one. AccessDenied is no such
// answer: a store checks rights after the signature.
func (a RegionAnswer) IsWrong() bool {
	f := fault.Failure{Class: fault.AnswerClass(a.Status, a.Code), Status: a.Status}
	isSuccess := a.Status == http.StatusOK && a.Code == ""
	return a.Named != "" && a.Named != a.SignedFor && a.Code != "AccessDenied" && !isSuccess && !f.Transient()
}

// IsRight reports whether the answer shows that the region was right: the request succeeded, or was refused for what a
// store looks at after the region.
func (a RegionAnswer) IsRight() bool {
	switch fault.Class(a.Code) {
	case "":
		return a.Status == http.StatusOK
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", fault.ExpiredToken, fault.ClockSkew:
		return !a.IsWrong()
	}
	return false
}

// TryRegion calls try, which sends a request to an endpoint in the region that a refusal names. If that region is
// right, the Store switches to it (SwitchRegion). So a region that does not exist, or that names another one itself,
// changes nothing. tried is false, and try is not called, where there is no region to try. n is the turn of the
// endpoint.
func (s *Store) TryRegion(refused RegionAnswer, n int, try func(*Endpoint) RegionAnswer) (tried, isRight bool) {
	if !refused.IsWrong() {
		return false, false
	}
	e, ok := s.endpointIn(refused.Named, n)
	if !ok {
		return false, false
	}
	if !try(e).IsRight() {
		return true, false
	}
	s.SwitchRegion(refused.SignedFor, refused.Named)
	return true, true
}

// Region returns the region that requests are signed for.
func (s *Store) Region() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.aws.Region
}

// endpointIn returns the endpoint whose turn is the n-th as it would be in another region, which an answer has named.
// A request to it shows whether the bucket is there, before SwitchRegion. ok is false where region cannot be the name
// of a region, holds a secret that the answer echoes, or is the present one, and where the Store has switched before.
func (s *Store) endpointIn(region string, n int) (e *Endpoint, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.switched || region == s.aws.Region || !isRegionName(region) || s.Redact(region) != region {
		return nil, false
	}
	return s.newEndpoints(region)[n%len(s.endpoints)], true
}

// SwitchRegion signs all later requests for region, which a response named in x-amz-bucket-region; the request was
// signed for sentTo. TryRegion has found out that the region answers. SwitchRegion reports whether to
// send the request again: true if the present region is not the one that the request was signed for. A Store switches
// once: two endpoints that name each other's region cannot keep a run going forever.
func (s *Store) SwitchRegion(sentTo, region string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if region == sentTo || !isRegionName(region) {
		return false
	}
	if s.switched || region == s.aws.Region {
		return region == s.aws.Region
	}
	s.switched = true
	s.aws.Region = region
	s.endpoints = s.newEndpoints(region)
	s.generation.Add(1)
	return true
}

// regionNameMax is the longest label of a host's name, of which a region is a part.
// https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
const regionNameMax = 63

// isRegionName reports whether an answer may name a region so. AWS's are us-east-1 and the like; other stores have
// names such as RegionOne and default.
func isRegionName(name string) bool {
	for i, b := range []byte(name) {
		alphanumeric := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !alphanumeric && (i == 0 || b != '-' && b != '_') {
			return false
		}
	}
	return name != "" && len(name) <= regionNameMax
}
