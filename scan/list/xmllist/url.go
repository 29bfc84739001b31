package xmllist

import "fmt"

// appendURLDecoded undoes encoding-type=url: %XX is a byte, and both + and %20 are a blank. A bad escape is an error,
// since a key that is skipped or guessed would be missing from the result. dst may be the beginning of text.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (encoding-type)
func appendURLDecoded(dst, text []byte) ([]byte, error) {
	for i := 0; i < len(text); i++ {
		switch b := text[i]; b {
		case '+':
			dst = append(dst, ' ')
		case '%':
			if i+2 >= len(text) || hexDigit(text[i+1]) > 15 || hexDigit(text[i+2]) > 15 {
				return nil, fmt.Errorf("a key has the bad escape %.40q", text[i:])
			}
			dst = append(dst, hexDigit(text[i+1])<<4|hexDigit(text[i+2]))
			i += 2
		default:
			dst = append(dst, b)
		}
	}
	return dst, nil
}

// hexDigit is the value of a digit, and more than 15 for any other byte.
func hexDigit(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10
	}
	return 16
}
